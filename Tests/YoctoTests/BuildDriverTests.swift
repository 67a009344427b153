import BuildModel
import FoundationEssentials
import Processes
import TestFiles
import Testing
import Yocto

/// The words that each wrapper is called with, and what is believed of it afterwards.
struct BuildDriverTests {
  private func place() throws -> BuildPlace {
    BuildPlace(machine: try Machine("acme-board"), slug: try Slug("acme"), manifestFile: "acme-file", tree: "/t", cache: "/c")
  }
  private func recipes(_ names: String...) throws -> [RecipeName] { try names.map { try RecipeName($0) } }
  private let tail = ["--shared-downloads", "/c/downloads", "--shared-sstate", "/c/sstate/acme-board", "--rm-work"]

  /// barys reads a single last value of these two options twice: another option must follow.
  @Test func barys() throws {
    let driver = BarysCommand(place: try place())
    let start = ["--log", "--machine", "acme-board", "--bitbake-target"]
    let device = ["--additional-variable", "DEVICE_TYPE=acme-file"]
    let read = ["--bitbake-args", "-R /t/build/blockfarm-post.conf"]
    #expect(driver.arguments(.packages(try recipes("a", "os-release", "b"))) == start + ["a", "b", "os-release"] + read + device + tail)
    #expect(driver.arguments(.packageIndex) == start + ["package-index"] + read + device + tail)
    #expect(driver.arguments(.variables) == start + ["os-release", "--bitbake-args", "-e -R /t/build/blockfarm-post.conf"] + device + tail)
    // A composition's build_args are words that may hold blanks.
    let run = BitbakeRun.targets(try recipes("kernel-image"), arguments: ["-a X=1", "--bitbake-args -k"])
    #expect(driver.arguments(run) == start + ["kernel-image"] + device + ["-a", "X=1", "--bitbake-args", "-k"] + tail)
    let command = try #require(driver.command(run, environment: ["A": "b"]))
    #expect(command.program == "/t/balena-yocto-scripts/build/barys" && command.directory == "/t" && command.environment == ["A": "b"])
  }

  /// barys takes a target that is named again for built, and leaves out all of the run.
  @Test func namesATargetOnce() throws {
    let driver = BarysCommand(place: try place())
    #expect(driver.arguments(.targets(try recipes("a", "b", "a"))) == driver.arguments(.targets(try recipes("a", "b"))))
    #expect(driver.arguments(.packages(try recipes("a", "os-release", "a"))) == driver.arguments(.packages(try recipes("a"))))
  }

  /// What bitbake refuses after minutes is refused before, and is the host's.
  @Test(arguments: [("/srv/a b/t", "a blank"), ("/home/kim@example.org/t", "'@'"), ("/srv/c++/t", "'+'")])
  func pathsThatBitbakeRefuses(_ tree: String, _ name: String) throws {
    let place = BuildPlace(machine: try Machine("acme-board"), slug: try Slug("acme"), manifestFile: "acme-file", tree: tree, cache: "/c")
    let obstacle = try #require(BarysCommand(place: place).obstacle(in: [:]))
    #expect(obstacle.isOfHost && obstacle.reason.hasPrefix("cannot be built at \(tree): bitbake refuses a path with \(name). "), "\(obstacle)")
  }

  @Test func balenaBuild() throws {
    let driver = BalenaBuildCommand(place: try place(), settings: .init(arguments: ["-a", "Y=2"]))
    #expect(
      driver.arguments(.targets(try recipes("balena-image", "more"), arguments: ["-a X=1"])) == [
        "-d", "acme-board", "-s", "/c/balena-build", "-a", "balena-cloud.com", "-i", "balena-image more", "-g",
        "-a Y=2 -a DEVICE_TYPE=acme-file -a X=1",
        "-k",
      ])
    #expect(driver.arguments(.variables).suffix(5) == ["-g", "-a Y=2 -a DEVICE_TYPE=acme-file", "-b", "-e", "-k"])
    let removing = BalenaBuildCommand(place: try place(), settings: .init(keepsHelperImages: false))
    #expect(removing.arguments(.packageIndex).last == "-a DEVICE_TYPE=acme-file")
    #expect(driver.runsInContainer)
  }

  /// The container sees the tree elsewhere: the file is named where the script says so, and not at all where it has another place for the tree.
  @Test(arguments: [("-v \"$tree\":/work \\", true), ("-v $WORKSPACE:/yocto/resin-board \\", false)])
  func thePostReadFileOfTheContainer(_ line: String, _ isNamed: Bool) throws {
    try withScratchDirectory { scratch in
      try FileManager.default.createDirectory(atPath: scratch + "/balena-yocto-scripts/build", withIntermediateDirectories: true)
      try Data("#!/bin/bash\n\(line)\n".utf8).write(to: URL(filePath: "\(scratch)/\(BalenaBuildCommand.path)"))
      let place = BuildPlace(
        machine: try Machine("acme-board"), slug: try Slug("acme"), manifestFile: "acme-file", tree: scratch, cache: scratch + "/cache")
      let driver = BalenaBuildCommand(place: place, settings: .init())
      let words = isNamed ? "-R /work/build/blockfarm-post.conf" : nil
      #expect(driver.arguments(.packageIndex).suffix(3).first == (words.map { _ in "-b" } ?? "-g"))
      #expect(driver.arguments(.packageIndex).contains("-R /work/build/blockfarm-post.conf") == isNamed)
      #expect(driver.arguments(.variables).contains(isNamed ? "-e -R /work/build/blockfarm-post.conf" : "-e"))
    }
  }

  @Test func theContainerScriptSharesTheCaches() throws {
    try withScratchDirectory { scratch in
      let place = BuildPlace(
        machine: try Machine("acme-board"), slug: try Slug("acme"), manifestFile: "acme-file", tree: scratch, cache: scratch + "/cache")
      let driver = BalenaBuildCommand(place: place, settings: .init())
      for _ in 0..<2 { try driver.prepare() }
      try Data("x".utf8).write(to: URL(filePath: driver.shared + "/shared-downloads/file"))
      try Data("x".utf8).write(to: URL(filePath: driver.shared + "/acme-board/sstate/object"))
      #expect(FileManager.default.fileExists(atPath: place.downloads + "/file"))
      #expect(FileManager.default.fileExists(atPath: place.sharedState + "/object"))
    }
  }

  @Test func aCommandOfOnesOwn() throws {
    var settings = TaskSpec.OwnCommand(
      build: try CommandTemplate(["scripts/build", "{machine}", "{targets}", "{arguments}"]),
      architectures: .printed(by: try CommandTemplate(["show", "{targets}"])), environment: ["DL_DIR": try CommandTemplate.Word("{downloads}")])
    let driver = OwnCommand(place: try place(), settings: settings)
    let command = try #require(
      driver.command(.targets(try recipes("a", "b"), arguments: ["-x 1"]), environment: ["PATH": "/bin", "DL_DIR": "/other"]))
    #expect(command.program == "/t/scripts/build" && command.arguments == ["acme-board", "a", "b", "-x", "1"] && command.directory == "/t")
    #expect(command.environment == ["PATH": "/bin", "DL_DIR": "/c/downloads"])
    #expect(driver.command(.variables, environment: [:])?.program == "show")
    #expect(driver.command(.packageIndex, environment: [:])?.arguments == ["acme-board", "package-index"])
    #expect(driver.packageArchitectures == nil && driver.proof == .status(line: nil))
    settings.architectures = .fixed(["all"])
    settings.index = .withBuild
    settings.success = try CommandTemplate.Word("{machine} ok")
    let fixed = OwnCommand(place: try place(), settings: settings)
    #expect(fixed.command(.variables, environment: [:]) == nil && fixed.command(.packageIndex, environment: [:]) == nil)
    #expect(fixed.packageArchitectures == ["all"] && fixed.proof == .status(line: "acme-board ok"))
  }

  // MARK: the verdict

  private func judge(_ end: ChildEnd, _ lines: [String], _ proof: SuccessProof, memory: Bool = false) throws -> Failure? {
    var text: String?
    if case .status(let line) = proof { text = line }
    var console = BitbakeConsole(successText: text)
    for line in lines { _ = console.read(line) }
    return BuildVerdict.judge(
      end, console: console, proof: proof, machine: try Machine("acme-board"), step: .feed, what: "bitbake", log: "/log", wasOutOfMemory: memory)
  }

  @Test func aCommandsStatusIsEnoughWithoutALine() throws {
    #expect(try judge(.exited(0), ["hello"], .status(line: nil)) == nil)
    #expect(try judge(.exited(0), ["hello"], .barys)?.kind == .build)
    #expect(try judge(.exited(0), ["[1] All fine: acme-board."], .status(line: "fine: acme-board")) == nil)
    #expect(try judge(.exited(0), ["All fine: other"], .status(line: "fine: acme-board"))?.reason.contains("did not print its success line") == true)
    #expect(try judge(.exited(3), ["All fine: acme-board"], .status(line: "fine"))?.reason == "bitbake ended with status 3")
  }

  @Test func theUsageOfTheContainerScriptIsNoSuccess() throws {
    let failure = try #require(try judge(.exited(0), ["Usage: balena-build.sh [OPTIONS]", "    -d Device type name"], .barys))
    #expect(failure.reason == "bitbake: the build wrapper ended with status 0 but reported success for no machine, not for acme-board")
  }

  /// The container hides the status of what the kernel ended.
  @Test func memoryIsTheHostsTroubleWhateverTheStatus() throws {
    let lines = ["ERROR: gcc-1.0-r0 do_compile: oops", "[000000009][LOG]Build for acme-board failed. Check failed log in build/tmp ."]
    #expect(try judge(.exited(0), lines, .barys, memory: true)?.kind == .infrastructure)
    #expect(try judge(.exited(0), lines, .barys)?.kind == .build)
    #expect(try judge(.exited(0), ["[000000009][LOG]Build for acme-board suceeded."], .barys, memory: true) == nil)
  }
}
