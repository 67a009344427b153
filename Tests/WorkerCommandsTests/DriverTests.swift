import BuildModel
import Foundation
import Testing

/// The sample repository through each of the build wrappers.
@Suite(.timeLimit(.minutes(5)))
struct DriverTests {
  private let sample: SampleRepository
  private let host: WorkerHost

  init() throws {
    sample = try SampleRepository.shared()
    host = try WorkerHost()
  }

  private func container() throws -> String {
    let directory = try host.install("docker")
    host.variables["DOCKER_HOST"] = "tcp://127.0.0.1:1"
    return directory
  }

  private func spec(_ driver: TaskSpec.Driver) throws -> TaskSpec {
    var spec = try sample.spec()
    spec.driver = driver
    return spec
  }

  @Test func theContainerScriptMakesWhatBarysMakes() throws {
    let bin = try container()
    let direct = try spec(.barys)
    try host.startWithSources(direct, of: sample)
    var contained = try spec(.balenaBuild(settings: .init(arguments: ["-a", "BB_GENERATE_MIRROR_TARBALLS=1"])))
    contained.attempt = AttemptID(request: RequestID(now: .now), slug: contained.slug, number: 2)
    let expected = try host.outcome(direct.attempt)
    #expect(try host.start(contained) == .started)
    let outcome = try host.outcome(contained.attempt)
    try #require(outcome.failure == nil, "\(outcome.failure?.details ?? [])")
    #expect(outcome.steps.map(\.name) == expected.steps.map(\.name))
    #expect(outcome.packageArchitectures == expected.packageArchitectures)
    #expect(outcome.blocks == expected.blocks)
    #expect(outcome.artifacts.map(\.path) == expected.artifacts.map(\.path))

    // What barys was given in the container, run by run.
    let calls = try String(contentsOfFile: bin + "/barys-calls", encoding: .utf8).split(separator: "\n").map {
      try JSONDecoder().decode([String].self, from: Data($0.utf8))
    }
    func targets(_ call: [String]) -> [String] {
      Array(call.drop { $0 != "--bitbake-target" }.dropFirst().prefix { !$0.hasPrefix("-") })
    }
    #expect(
      calls.map(targets) == [
        ["acme-diag-tools", "acme-diag-data", "acme-diag-config", "acme-diag-config-board", "os-release"], ["package-index"],
        ["balena-image"],
      ])
    #expect(calls.allSatisfy { !$0.contains("-e") && $0.contains("\(host.root)/work/0/build/blockfarm-post.conf") })
    #expect(calls.allSatisfy { $0.contains("DEVICE_TYPE=acme-board64") && $0.contains("BB_GENERATE_MIRROR_TARBALLS=1") })
    // The caches are the same ones, so that hosts stay warm when a repository changes its driver.
    #expect(calls.allSatisfy { $0.contains("\(host.root)/cache/downloads") && $0.contains("\(host.root)/cache/sstate/acme-board64") })
    #expect(try FileManager.default.contentsOfDirectory(atPath: bin + "/state") == [])
    // In the container the mirrors cannot be seen.
    let tree = "\(host.root)/attempts/\(contained.attempt)/tree/.git/objects"
    #expect(!FileManager.default.fileExists(atPath: tree + "/info/alternates"))
  }

  /// A choice that the wrapper cannot be told is not dropped.
  @Test func choicesThatNobodyCanBeTold() throws {
    var spec = try spec(.command(settings: .init(build: CommandTemplate(["make", "{targets}"]), architectures: .fixed(["all"]))))
    spec.settings.isDevelopment = true
    guard case .refused(let reason) = try host.start(spec) else { return #expect(Bool(false), "it was not refused") }
    #expect(
      reason.contains("a development image, another supervisor or additional variables are asked for, but the driver's command has no {arguments}"))
    spec.settings = .init(sharedDirectory: "/srv/../etc")
    guard case .refused(let place) = try host.start(spec) else { return #expect(Bool(false), "it was not refused") }
    #expect(place.contains("shared directory '/srv/../etc'"))
  }

  /// The script goes on after a pull that failed, and ends 0.
  @Test func aHelperImageThatIsNotThere() throws {
    _ = try container()
    host.variables["HELPER_IMAGE_REPO"] = "registry.example.org/gone"
    let spec = try spec(.balenaBuild(settings: .init()))
    try host.startWithSources(spec, of: sample)
    let failure = try #require(try host.outcome(spec.attempt).failure)
    #expect(failure.kind == .infrastructure && failure.reason.contains("registry.example.org/gone"), "\(failure.kind): \(failure.reason)")
  }

  @Test func aContainerThatLiesIsFound() throws {
    _ = try container()
    let spec = try spec(.balenaBuild(settings: .init()))
    try host.startWithSources(spec, of: sample, faults: "fail=acme-diag-data")
    let failure = try #require(try host.outcome(spec.attempt).failure)
    #expect(failure.kind == .build && failure.step == .feed)
    #expect(
      failure.reason
        == "recipe acme-diag-data-3.0-r0 failed in do_compile: acme-diag-data: the miniature was told to fail here "
        + "(the build wrapper nevertheless ended with status 0)", "\(failure.reason)")
  }

  @Test func cancelRemovesTheContainer() throws {
    let bin = try container()
    let spec = try spec(.balenaBuild(settings: .init()))
    try host.startWithSources(spec, of: sample, faults: "hang=1")
    // Somebody else's container stays.
    let other = #"{"id": "\#(String(repeating: "f", count: 64))", "name": "other", "mounts": ["/srv"]}"#
    try Data(other.utf8).write(to: URL(filePath: bin + "/state/\(String(repeating: "f", count: 64)).json"))
    try host.follow(spec.attempt) {
      if case .log(_, _, let text) = $0 { text.contains("[LOG]Build") || text.contains("initialized in") } else { false }
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: bin + "/state").count == 2)
    #expect(try host.ask(CancelAnswer.self, ["cancel", spec.attempt.description]).wasRunning)
    #expect(try FileManager.default.contentsOfDirectory(atPath: bin + "/state") == ["\(String(repeating: "f", count: 64)).json"])
    #expect(try String(contentsOfFile: bin + "/removed", encoding: .utf8).split(separator: "\n").count == 1)
    #expect(try host.outcome(spec.attempt).failure?.kind == .cancelled)
    #expect(try host.processes(spec.attempt) == [])
  }

  @Test func aKilledRunnersContainerGoesWithItsOutcome() throws {
    let bin = try container()
    let spec = try spec(.balenaBuild(settings: .init()))
    try host.startWithSources(spec, of: sample, faults: "hang=1")
    try host.follow(spec.attempt) { if case .log(_, _, let text) = $0 { text.contains("initialized in") } else { false } }
    kill(try host.runner(spec.attempt), SIGKILL)
    #expect(try host.outcome(spec.attempt).failure?.kind == .lost)
    #expect(try FileManager.default.contentsOfDirectory(atPath: bin + "/state") == [])
  }

  @Test func withoutDockerTheHostIsAtFault() throws {
    let spec = try spec(.balenaBuild(settings: .init()))
    // Programs that the checkout needs, and no docker.
    let bin = host.scratch + "/few"
    try FileManager.default.createDirectory(atPath: bin, withIntermediateDirectories: true)
    for program in ["git", "setpriv"] {
      try FileManager.default.createSymbolicLink(atPath: "\(bin)/\(program)", withDestinationPath: "/usr/bin/\(program)")
    }
    try host.startWithSources(spec, of: sample, environment: ["PATH": bin])
    let failure = try #require(try host.outcome(spec.attempt).failure)
    #expect(failure.kind == .infrastructure && failure.step == .source)
    #expect(failure.reason.contains("needs docker: install the package docker.io"), "\(failure.reason)")
  }

  // MARK: command

  private static let barys = "balena-yocto-scripts/build/barys"

  private func command(_ success: String? = nil, program: String = barys, index: TaskSpec.OwnCommand.Index = .target) throws -> TaskSpec.OwnCommand {
    let cache = ["--shared-downloads", "{downloads}", "--shared-sstate", "{sstate}", "--rm-work"]
    return TaskSpec.OwnCommand(
      build: try CommandTemplate(
        [program, "-m", "{machine}", "--bitbake-target", "{targets}", "-a", "DEVICE_TYPE={manifest}", "{arguments}"] + cache),
      architectures: .printed(
        by: try CommandTemplate([program, "-m", "{machine}", "--bitbake-target", "{targets}", "--bitbake-args", "-e"] + cache)),
      index: index, success: try success.map { try CommandTemplate.Word($0) },
      environment: ["SAMPLE_SETTING": try CommandTemplate.Word("{machine}")])
  }

  @Test func aCommandOfOnesOwnMakesTheSame() throws {
    var spec = try spec(.command(settings: command("Build for {machine} suceeded")))
    spec.system = nil
    try host.startWithSources(spec, of: sample)
    let outcome = try host.outcome(spec.attempt)
    try #require(outcome.failure == nil, "\(outcome.failure?.reason ?? "")")
    #expect(outcome.packageArchitectures.last == "acme_board64")
    #expect(outcome.blocks.count == 1)
  }

  @Test func itsArchitecturesMayBeFixed() throws {
    var settings = try command()
    settings.architectures = .fixed(["all", "aarch64", "cortexa72", "acme_board64"])
    var spec = try spec(.command(settings: settings))
    spec.system = nil
    try host.startWithSources(spec, of: sample)
    let outcome = try host.outcome(spec.attempt)
    #expect(outcome.failure == nil)
    #expect(outcome.packageArchitectures == ["all", "aarch64", "cortexa72", "acme_board64"])
  }

  @Test func statusZeroWithoutItsSuccessLineIsAFailure() throws {
    let spec = try spec(.command(settings: command("All done for {machine}")))
    try host.startWithSources(spec, of: sample)
    let failure = try #require(try host.outcome(spec.attempt).failure)
    #expect(failure.kind == .build && failure.reason.contains("did not print its success line"), "\(failure.reason)")
  }

  /// A lie that names a failed task is seen whatever the wrapper.
  @Test func itsLieIsFound() throws {
    let spec = try spec(.command(settings: command()))
    try host.startWithSources(spec, of: sample, faults: "fail=acme-diag-data;lie=quiet")
    let failure = try #require(try host.outcome(spec.attempt).failure)
    #expect(failure.reason.hasPrefix("recipe acme-diag-data-3.0-r0 failed in do_compile"), "\(failure.reason)")
  }

  /// A command that writes no index although it says so leaves none: the files are what counts.
  @Test func anIndexThatTheBuildDidNotWriteIsMissed() throws {
    let spec = try spec(.command(settings: command(index: .withBuild)))
    try host.startWithSources(spec, of: sample)
    let failure = try #require(try host.outcome(spec.attempt).failure)
    #expect(failure.kind == .build && failure.reason.contains("/Packages"), "\(failure.reason)")
  }

  @Test(arguments: [("scripts/build", Failure.Kind.rejected), ("no-such-program-here", .infrastructure), ("/no/such/program", .infrastructure)])
  func aProgramThatIsNotThereIsNamed(_ program: String, _ kind: Failure.Kind) throws {
    let spec = try spec(.command(settings: command(program: program)))
    try host.startWithSources(spec, of: sample)
    let failure = try #require(try host.outcome(spec.attempt).failure)
    #expect(failure.kind == kind && failure.step == .source && failure.reason.contains(program), "\(failure)")
  }
}
