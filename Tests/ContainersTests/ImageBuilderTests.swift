import BuildModel
import Containers
import Foundation
import Processes
import Testing

/// Images by the real buildah. It needs root, or subordinate users that a test account need not have.
@Suite(.timeLimit(.minutes(3)), .enabled(if: getuid() == 0, "buildah is tested as root"))
struct ImageBuilderTests {
  private static let dockerfile = """
    FROM scratch AS tools
    COPY busybox /bin/busybox
    RUN ["/bin/busybox", "mkdir", "/made"]
    RUN ["/bin/busybox", "touch", "/made/here"]
    FROM scratch
    COPY --from=tools /made /made
    LABEL io.example.own=yes
    VOLUME /boot
    """
  private let scratch: BuildScratch
  private let platform = Architecture.amd64.platform

  init() throws { scratch = try BuildScratch() }

  private func builder() throws -> ImageBuilder { try ImageBuilder(attempt: "a.b.1", scratch: scratch.work, environment: scratch.environment) }

  @Test func anImageIsBuiltTwiceWithTheSameBytes() throws {
    let context = try scratch.context(Self.dockerfile)
    var archives: [Data] = []
    for name in ["one", "two"] {
      if name == "two" { try FileManager.default.createDirectory(atPath: scratch.work, withIntermediateDirectories: true) }
      let builder = try builder()
      #expect(builder.tool == .buildah)
      let built = try scratch.run(builder.build(context: context, dockerfile: context + "/Dockerfile", platform: platform, epoch: 1_700_000_000))
      try #require(built.end == .exited(0), "\(built.output)")
      let archive = "\(scratch.path)/\(name).tar"
      let exported = try scratch.run(builder.export(to: archive))
      try #require(exported.end == .exited(0), "\(exported.output)")
      try builder.cleanUp()
      #expect(!FileManager.default.fileExists(atPath: scratch.work))
      archives.append(try Data(contentsOf: URL(filePath: archive)))
    }
    #expect(archives[0] == archives[1])
    let description = try scratch.output("skopeo", ["inspect", "--config", "docker-archive:\(scratch.path)/one.tar"])
    #expect(description.contains(#""io.example.own": "yes""#) && !description.contains("io.buildah.version"))
    #expect(try scratch.output("tar", ["-tf", scratch.path + "/one.tar"]).contains("manifest.json"))
  }

  @Test func anImageForAnotherPlatformNeedsNoEmulatorWithoutSteps() throws {
    let context = try scratch.context("FROM scratch\nCOPY busybox /bin/busybox\n")
    let builder = try builder()
    let built = try scratch.run(
      builder.build(context: context, dockerfile: context + "/Dockerfile", platform: Architecture.armv7hf.platform, epoch: 1_700_000_000))
    try #require(built.end == .exited(0), "\(built.output)")
    try #require(try scratch.run(builder.export(to: scratch.path + "/arm.tar")).end == .exited(0))
    #expect(try scratch.output("skopeo", ["inspect", "--config", "docker-archive:\(scratch.path)/arm.tar"]).contains(#""architecture": "arm""#))
    try builder.cleanUp()
  }

  @Test func aFailedBuildSaysWhyAndLeavesNothing() throws {
    let context = try scratch.context("FROM scratch\nCOPY busybox /bin/busybox\nRUN [\"/bin/busybox\", \"false\"]\n")
    let builder = try builder()
    let built = try scratch.run(builder.build(context: context, dockerfile: context + "/Dockerfile", platform: platform, epoch: 0))
    var console = ImageBuildConsole()
    for line in built.output.split(separator: "\n") { console.read(String(line)) }
    let failure = try #require(
      console.failure(built.end, block: try BlockName("x"), tool: "buildah", platform: platform, log: "/log", wasOutOfMemory: false))
    #expect(failure.kind == .build && failure.reason.hasPrefix("block x: buildah ended with status 1: Error: "), "\(failure.reason)")
    #expect(failure.details.last == "console log: /log")
    #expect(throws: ContainersError.self) { try builder.export(to: scratch.path + "/none.tar") }
    try builder.cleanUp()
    #expect(!FileManager.default.fileExists(atPath: scratch.work))
    #expect(try !String(contentsOfFile: "/proc/mounts", encoding: .utf8).contains(scratch.path))
  }

  /// It may be the network's fault, or the Dockerfile's.
  @Test func aBaseImageThatDoesNotComeCouldNotBeFetched() throws {
    let context = try scratch.context("FROM 127.0.0.1:9/nothing:latest\n")
    let builder = try builder()
    let built = try scratch.run(builder.build(context: context, dockerfile: context + "/Dockerfile", platform: platform, epoch: 0))
    var console = ImageBuildConsole()
    for line in built.output.split(separator: "\n") { console.read(String(line)) }
    let failure = console.failure(built.end, block: try BlockName("x"), tool: "buildah", platform: platform, log: "/log", wasOutOfMemory: false)
    #expect(failure?.kind == .fetch, "\(built.output)")
    try builder.cleanUp()
  }
}

/// What buildah and docker write, put together from their message texts.
struct ImageBuildConsoleTests {
  @Test(arguments: [
    (
      Failure.Kind.build,
      "buildah ended with status 2: make: *** No rule to make target 'all'. (Error: building at STEP \"RUN make all\": exit status 2)",
      [
        "STEP 1/2: FROM scratch", "STEP 2/2: RUN make all", "make: *** No rule to make target 'all'.", "",
        "Error: building at STEP \"RUN make all\": exit status 2",
      ]
    ),
    (
      .build, "buildah ended with status 2: Error: no FROM statement found", ["STEP 1/1: RUN x", "Error: no FROM statement found"]
    ),
    (
      .fetch, "buildah: fatal: unable to access 'https://git.example.org/x/': Could not resolve host: git.example.org",
      [
        "STEP 2/2: RUN git clone https://git.example.org/x",
        "fatal: unable to access 'https://git.example.org/x/': Could not resolve host: git.example.org",
        "Error: building at STEP \"RUN git clone\": exit status 128",
      ]
    ),
    (
      .infrastructure, "buildah: cp: error writing '/x': No space left on device",
      ["STEP 2/2: RUN cp a /x", "cp: error writing '/x': No space left on device", "Error: building at STEP \"RUN cp\": exit status 1"]
    ),
  ])
  func theReasonSaysWhy(_ kind: Failure.Kind, _ reason: String, _ lines: [String]) throws {
    var console = ImageBuildConsole()
    for line in lines { console.read(line) }
    let failure = try #require(
      console.failure(
        .exited(2), block: try BlockName("x"), tool: "buildah", platform: Architecture.amd64.platform, log: "/log", wasOutOfMemory: false))
    #expect(failure.kind == kind && failure.reason == "block x: " + reason, "\(failure.reason)")
  }
}
