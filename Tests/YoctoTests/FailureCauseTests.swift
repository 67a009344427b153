import BuildModel
import Foundation
import Processes
import Testing
import Yocto

/// From each console the sentence that a person needs, and whose fault it is.
struct FailureCauseTests {
  /// Recorded runs of the real barys and bitbake. The first two are successes.
  @Test(arguments: [
    ("first", Failure.Kind?.none, ""), ("changed", nil, ""),
    ("fail", .build, "recipe hello-fail-1.0-r0 failed in do_compile: hello.c:1:1: error: unknown type name 'nothing'"),
    (
      "parse", .build,
      "bitbake of 3 recipes ended with status 2: ParseError at /yocto/build/../layers/meta-balena-demo/recipes-demo/hello-conf/hello-conf_1.0.bb:22: "
        + "unparsed line: 'this is no assignment'"
    ),
    (
      "qa", .build,
      "recipe hello-qa-1.0-r0 failed in do_package: QA Issue: hello-qa: Files/directories were installed but not shipped in any package: "
        + "/opt /opt/x /opt/x/file"
    ),
    (
      "hosttool", .infrastructure,
      "bitbake of 3 recipes ended with status 2: The following required tools (as specified by HOSTTOOLS) appear to be unavailable in PATH, "
        + "please install them in order to proceed: no-such-tool"
    ),
    (
      "halt", .infrastructure,
      "bitbake of 3 recipes: bitbake's disk monitor stopped it: The free space of /yocto/build/tmp (/dev/vda) is running low (60.428GB left)"
    ),
    (
      "net", .fetch,
      "recipe hello-net-1.0-r0 failed in do_fetch: https://downloads.example.org/hello-1.0.tar.gz: it is not among the downloads, and access to the "
        + "network is disabled (BB_NO_NETWORK)"
    ),
    (
      "rdep", .build,
      "nothing provides 'libnowhere', which /yocto/build/../layers/meta-balena-demo/recipes-demo/hello-rdep/hello-rdep_1.0.bb needs at run time"
    ),
  ])
  func recorded(_ name: String, _ kind: Failure.Kind?, _ reason: String) throws {
    let lines = try text("consoles/\(name).log").split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    let failure = try judge(.exited(kind == nil ? 0 : 2), lines)
    #expect(failure?.kind == kind)
    #expect(failure?.reason ?? "" == reason)
  }

  /// Recorded runs of the real bitbake with one recipe that was broken in many ways.
  @Test(arguments: [
    (
      "anonexc", Failure.Kind.build,
      "bitbake of 3 recipes ended with status 2: AttributeError: 'NoneType' object has no attribute 'split' "
        + "(while parsing /yocto/meta-t/recipes/hello/hello_1.0.bb)"
    ),
    (
      "fetch404", .fetch,
      "recipe hello-1.0-r0 failed in do_fetch: http://127.0.0.1:8765/nope.txt: wget failed with exit code 8 (the server issued an error response)"
    ),
    (
      "fetchfile", .build,
      "recipe hello-1.0-r0 failed in do_fetch: file://nofile.patch: Unable to find file file://nofile.patch anywhere. "
        + "The paths that were searched were: /yocto/meta-t/recipes/hello/hello-1.0/nodistro"
    ),
    (
      "fetchgitrev", .fetch,
      "recipe hello-1.0-r0 failed in do_fetch: git:///yocto/gitrepo;protocol=file;branch=master: it is not among the downloads, and access to the "
        + "network is disabled (BB_NO_NETWORK)"
    ),
    (
      "fetchsum", .fetch,
      "recipe hello-1.0-r0 failed in do_fetch: http://127.0.0.1:8765/f.txt: Checksum mismatch! File: '/yocto/build/downloads/f.txt' has sha256 checksum "
        + "'98ea6e4f216f2fb4b69fff9b3a44842c38686ca685f3f55dc48c5d3fb1107be4' when '" + String(repeating: "0", count: 64) + "' was expected"
    ),
    (
      "pysub", .build,
      "recipe hello-1.0-r0 failed in do_compile: subprocess.CalledProcessError: Command '['ls', '/nonexistent']' returned non-zero exit status 2: "
        + "ls: cannot access '/nonexistent': No such file or directory"
    ),
    ("pyprocess", .build, "recipe hello-1.0-r0 failed in do_compile: ls: cannot access '/nonexistent': No such file or directory"),
    (
      "pysyntax", .build, "bitbake of 3 recipes ended with status 2: SyntaxError: expected ':' (/yocto/meta-t/recipes/hello/hello_1.0.bb, line 14)"
    ),
    ("signal9", .infrastructure, "recipe hello-1.0-r0 failed in do_compile: a program of it was killed (signal 9), perhaps for memory"),
    ("childkilled", .infrastructure, "recipe hello-1.0-r0 failed in do_compile: a program of it was killed (signal 9), perhaps for memory"),
    (
      "layerconf", .build, "bitbake of 3 recipes ended with status 2: ParseError at /yocto/meta-t/conf/layer.conf:7: unparsed line: 'BBFILES +'"
    ),
    ("workerkill", .infrastructure, "bitbake of 3 recipes ended with status 2: Worker process (6751) exited unexpectedly (-9), shutting down..."),
    (
      "stoptasks", .infrastructure,
      "bitbake of 3 recipes: bitbake's disk monitor stopped it: The free space of /yocto/build/tmp-glibc (/dev/vda) is running low (63.998GB left)"
    ),
  ])
  func recordedWithOneRecipe(_ name: String, _ kind: Failure.Kind, _ reason: String) throws {
    let lines = try text("consoles/local/\(name).log").split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    let failure = try #require(try judge(.exited(2), lines))
    #expect(failure.kind == kind)
    #expect(failure.reason == reason)
  }

  /// bitbake prints no log of a fetch; the cause is in the task's own.
  @Test func theOwnLogTellsWhatTheConsoleDoesNot() throws {
    var console = BitbakeConsole()
    for line in try text("consoles/local/fetch404.log").split(separator: "\n") { _ = console.read(String(line)) }
    let found = console.failedTasks.firstIndex { $0.needsLog }
    let at = try #require(found)
    console.readLog(
      [
        "DEBUG: Executing python function base_do_fetch", "--2026-11-30 19:28:08--  http://127.0.0.1:8765/nope.txt",
        "Connecting to 127.0.0.1:8765... connected.",
        "HTTP request sent, awaiting response... 404 File not found", "2026-11-30 19:28:08 ERROR 404: File not found.", "",
        "wget: unable to resolve host address 'downloads.yoctoproject.org'",
      ], ofTaskAt: at)
    #expect(
      try judge(.exited(2), console)?.reason
        == "recipe hello-1.0-r0 failed in do_fetch: http://127.0.0.1:8765/nope.txt: ERROR 404: File not found.")
  }

  @Test func aRunWithoutAWordIsKnown() {
    var console = BitbakeConsole()
    for line in ["[000000003][LOG]This might take a while ...", "[000000004][LOG]Build for raspberrypi3 failed. Check failed log in x ."] {
      _ = console.read(line)
    }
    #expect(console.saysNothing)
    _ = console.read("ERROR: Layer 't' depends on layer 'x', but this layer is not enabled in your configuration")
    #expect(!console.saysNothing)
  }

  /// Put together from the sources' message texts.
  @Test(arguments: try ComposedConsole.all()) func composed(_ sample: ComposedConsole) throws {
    let failure = try #require(try judge(.exited(sample.status), sample.lines))
    #expect(failure.kind == sample.kind)
    #expect(failure.reason == sample.reason)
    #expect(failure.details.count <= 50 && failure.details.last == "console log: /somewhere/console.log")
  }

  @Test func theFailedTasksAreListedWithTheirLogs() throws {
    let sample = try #require(try ComposedConsole.all().first { $0.name == "two recipes at the same time" })
    var console = BitbakeConsole()
    for line in sample.lines { _ = console.read(line) }
    #expect(console.failedTasks.map(\.recipe) == ["acme-a-1.0-r0", "acme-b-1.0-r0"])
    #expect(
      console.failedTasks.map(\.logfile) == [
        "/t/build/tmp/work/cortexa53/acme-a/1.0-r0/temp/log.do_compile.4", "/t/build/tmp/work/cortexa53/acme-b/1.0-r0/temp/log.do_package.5",
      ])
  }

  /// Cut off anywhere, a console still gives a sentence of one line without control characters.
  @Test(arguments: try ComposedConsole.all())
  func isOneLineWhereverTheConsoleEnds(_ sample: ComposedConsole) throws {
    for count in 0...sample.lines.count {
      let lines = sample.lines.prefix(count).map { $0 + " \u{1b}[31m\u{7}\r" }
      let failure = try #require(try judge(.exited(sample.status), Array(lines)))
      #expect(!failure.reason.unicodeScalars.contains { $0.value < 32 || $0.value == 127 })
      #expect(failure.reason.count < 1000)
      #expect(failure.details.allSatisfy { !$0.unicodeScalars.contains { $0.value < 32 || $0.value == 127 } })
    }
  }

  // MARK: reading the samples

  private func judge(_ end: ChildEnd, _ lines: [String]) throws -> Failure? {
    var console = BitbakeConsole()
    for line in lines { _ = console.read(line) }
    return try judge(end, console)
  }

  private func judge(_ end: ChildEnd, _ console: BitbakeConsole) throws -> Failure? {
    BuildVerdict.judge(
      end, console: console, proof: .barys, machine: try Machine("raspberrypi3"), step: .feed, what: "bitbake of 3 recipes",
      log: "/somewhere/console.log", wasOutOfMemory: false)
  }

  private func text(_ file: String) throws -> String { try ComposedConsole.text(file) }
}

/// A case of `composed-consoles.txt`.
struct ComposedConsole: Sendable, CustomTestStringConvertible {
  var name: String
  var kind: Failure.Kind
  var status: Int32
  var reason: String
  var lines: [String]
  var testDescription: String { name }

  static func all() throws -> [ComposedConsole] {
    try text("composed-consoles.txt").components(separatedBy: "\n=== ").dropFirst().map { part in
      let lines = part.components(separatedBy: "\n")
      let head = lines[0].components(separatedBy: " | ")
      let kind = try #require(Failure.Kind(rawValue: head[1]), "\(lines[0])")
      try #require(lines[2] == "---", "\(lines[0])")
      return ComposedConsole(
        name: head[0], kind: kind, status: try #require(Int32(head[2])), reason: lines[1], lines: Array(lines.dropFirst(3)))
    }
  }

  static func text(_ file: String) throws -> String {
    let url = try #require(Bundle.module.url(forResource: "Fixtures/\(file)", withExtension: nil))
    return try String(contentsOf: url, encoding: .utf8)
  }
}
