import BuildModel
import Foundation
import Processes
import Testing
import Yocto

/// Real console output, line by line.
struct BitbakeConsoleTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var file: String
    var status: Int32
    var succeeded: [String]
    var failed: [String] = []
    var lastProgress: BitbakeConsole.Progress?
    var failure: String?
    var testDescription: String { file }
  }

  static let cases = [
    Case(file: "success-cold.log", status: 0, succeeded: ["raspberrypi3"], lastProgress: .init(done: 93, total: 93)),
    Case(file: "success-warm-sstate.log", status: 0, succeeded: ["raspberrypi3"], lastProgress: .init(done: 93, total: 93)),
    Case(file: "success-noop.log", status: 0, succeeded: ["raspberrypi3"]),
    Case(file: "package-index.log", status: 0, succeeded: ["raspberrypi3"], lastProgress: .init(done: 11, total: 11)),
    Case(
      file: "failed-recipe.log", status: 2, succeeded: [], failed: ["raspberrypi3"], lastProgress: .init(done: 41, total: 48),
      failure: "recipe hello-fail-1.0-r0 failed in do_compile: about to fail"),
    Case(
      file: "nothing-provides.log", status: 2, succeeded: [], failed: ["raspberrypi3"],
      failure: "nothing provides 'nosuchpkg' in this device repository"),
  ]

  @Test(arguments: cases) func reads(_ sample: Case) throws {
    let (console, progress) = try read(sample.file)
    #expect(console.succeeded == sample.succeeded)
    #expect(console.failed == sample.failed)
    #expect(progress.last == sample.lastProgress)
    let failure = try judge(.exited(sample.status), console)
    #expect(failure?.reason == sample.failure)
    if failure != nil { #expect(failure?.kind == .build) }
  }

  @Test func namesTheLastLogLinesAndTheLogfile() throws {
    let failure = try #require(try judge(.exited(2), try read("failed-recipe.log").0))
    #expect(failure.details.contains("about to fail"))
    #expect(failure.details.contains { $0.hasPrefix("task log: /yocto/build/tmp/work/") && $0.hasSuffix("log.do_compile.30133") })
    #expect(failure.details.last == "console log: /somewhere/console.log")
  }

  /// The container wrapper ends 0 after a failure.
  @Test func aFailedRecipeIsAFailureWhateverTheStatus() throws {
    let failure = try #require(try judge(.exited(0), try read("failed-recipe.log").0))
    #expect(failure.reason == "recipe hello-fail-1.0-r0 failed in do_compile: about to fail (the build wrapper nevertheless ended with status 0)")
  }

  @Test func successForAnotherMachineIsNone() throws {
    let (console, _) = try read("success-noop.log")
    let failure = try #require(try judge(.exited(0), console, machine: "raspberrypi4-64"))
    #expect(failure.kind == .build)
    #expect(failure.reason.contains("reported success for raspberrypi3, not for raspberrypi4-64"))
  }

  /// One manifest of the machine failed, another succeeded.
  @Test func oneSuccessHidesNoFailure() throws {
    var (console, _) = try read("success-noop.log")
    _ = console.read("[000000018][LOG]Build for raspberrypi3 failed. Check failed log in build/tmp/log/cooker/raspberrypi3 .")
    #expect(try judge(.exited(0), console) != nil)
  }

  @Test func statusCountsToo() throws {
    #expect(try judge(.exited(1), try read("success-noop.log").0) != nil)
    #expect(try judge(.signalled(15), try read("success-noop.log").0)?.kind == .infrastructure)
  }

  @Test(arguments: [
    (
      "ERROR: hello-1.0-r0 do_fetch: Fetcher failure for URL: 'https://example.org/x'. Unable to fetch URL from any source.",
      Failure.Kind.fetch
    ),
    ("ERROR: hello-1.0-r0 do_unpack: OSError: [Errno 28] No space left on device", .infrastructure),
    ("| g++: fatal error: Killed signal terminated program cc1plus", .infrastructure),
    ("ERROR: hello-1.0-r0 do_package: QA Issue", .build),
  ])
  func tellsHostTroubleFromBuildTrouble(_ line: String, _ kind: Failure.Kind) throws {
    var console = BitbakeConsole()
    _ = console.read(line)
    #expect(try judge(.exited(2), console)?.kind == kind)
  }

  @Test(arguments: [(ChildEnd.silent, Failure.Kind.timedOut), (.overdue, .timedOut), (.cancelled, .cancelled)])
  func boundsAreNamed(_ end: ChildEnd, _ kind: Failure.Kind) throws {
    #expect(try judge(end, try read("success-noop.log").0)?.kind == kind)
  }

  /// bitbake says every ten minutes that nothing happens, and what it waits for.
  @Test func stillAliveIsNoSignOfLife() {
    var console = BitbakeConsole()
    var shows: [Bool] = []
    for line in [
      "NOTE: recipe hello-1.0-r0: task do_compile: Started", "Bitbake still alive (no events for 600s). Active tasks:",
      "/t/layers/meta/hello_1.0.bb:do_compile", "virtual:native:/t/layers/meta/hello_1.0.bb:do_install",
      "Bitbake still alive (no events for 1200s). Active tasks:", "/t/layers/meta/hello_1.0.bb:do_compile",
      "NOTE: recipe hello-1.0-r0: task do_compile: Succeeded", "some words",
    ] {
      _ = console.read(line)
      shows.append(console.showsLife)
    }
    #expect(shows == [true, false, false, false, false, false, true, true])
  }

  @Test func readsTheBuildsVariables() throws {
    var variables = BuildVariables()
    for line in try lines("environment-excerpt.log") { variables.read(line) }
    #expect(variables.packageArchitectures.count == 24)
    #expect(variables.packageArchitectures.prefix(4) == ["all", "any", "noarch", "armv5hf-vfp"])
    #expect(variables.packageArchitectures.last == "raspberrypi3")
    #expect(variables.makesIpk)
  }

  /// As opkg's configuration is read: of a name that is there twice the later place counts.
  @Test func anArchitectureNamedTwiceCountsWhereItIsLast() {
    var variables = BuildVariables()
    variables.read("PACKAGE_ARCHS=\"all noarch a b a\"")
    #expect(variables.packageArchitectures == ["all", "noarch", "b", "a"])
  }

  /// Whatever a build prints, a reader must stay within bounds.
  @Test func hostileLinesAreHarmless() {
    var console = BitbakeConsole()
    for line in [
      "", "[", "[]", "[1]", "[000][LOG]Build for ", "[000][LOG]Build for x", "ERROR: ", "ERROR: Task (", "ERROR: Task (:) failed", "ERROR: a do_b:",
      "Log data follows:", "| x", "|", "NOTE: Running task 9999999999999999999999 of 1 (x)", "NOTE: Running task 5 of 4 (x)", "NOTE: Running task",
      "NOTE: Running ",
    ] { #expect(console.read(line) == nil) }
    for index in 0..<10_000 { _ = console.read("ERROR: r\(index) do_x: " + String(repeating: "y", count: 5000)) }
    #expect(console.failedTasks.count <= 100)
    #expect(console.errors.allSatisfy { $0.count <= 1000 })
  }

  private func read(_ file: String) throws -> (BitbakeConsole, [BitbakeConsole.Progress]) {
    var console = BitbakeConsole()
    let progress = try lines(file).compactMap { console.read($0) }
    return (console, progress)
  }

  private func judge(_ end: ChildEnd, _ console: BitbakeConsole, machine: String = "raspberrypi3") throws -> Failure? {
    BuildVerdict.judge(
      end, console: console, proof: .barys, machine: try Machine(machine), step: .feed, what: "bitbake", log: "/somewhere/console.log",
      wasOutOfMemory: false)
  }

  private func lines(_ file: String) throws -> [String] {
    let url = try #require(Bundle.module.url(forResource: "Fixtures/\(file)", withExtension: nil))
    return try String(contentsOf: url, encoding: .utf8).split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
  }
}
