import BuildModel
import Containers
import Foundation
import Processes
import TestPeers
import Testing

/// What must go from a daemon and what must stay, with a real dockerd.
@Suite(.timeLimit(.minutes(3)), .enabled(if: getuid() == 0, "dockerd needs root"))
struct DockerTests {
  private let scratch: BuildScratch
  private let attempt = "01890000-0000-7000-8000-000000000001.acme.1"

  init() throws { scratch = try BuildScratch() }

  /// A dockerd of its own. `environment` leads to it, and finds no buildah.
  private func withDockerd(_ body: (_ environment: [String: String]) throws -> Void) throws {
    try FileManager.default.createDirectory(atPath: scratch.path + "/bin", withIntermediateDirectories: true)
    for program in ["docker", "rm"] {
      let path = try #require(
        ["/usr/bin/", "/bin/", "/usr/local/bin/"].map { $0 + program }.first { FileManager.default.isExecutableFile(atPath: $0) })
      try FileManager.default.createSymbolicLink(atPath: "\(scratch.path)/bin/\(program)", withDestinationPath: path)
    }
    try withDockerDaemon { daemon in
      var environment = scratch.environment
      environment["PATH"] = scratch.path + "/bin"
      environment["DOCKER_HOST"] = daemon.host
      try body(environment)
    }
  }

  private func importBusybox(_ docker: Docker) throws {
    _ = try scratch.context("FROM scratch\n")
    _ = try scratch.output("tar", ["-cf", "busybox.tar", "-C", scratch.path + "/context", "busybox"])
    try docker.run(["import", scratch.path + "/busybox.tar", "tools"])
  }

  @Test func containersOfAnAttemptGoAndOthersStay() throws {
    try withDockerd { environment in
      let docker = try #require(Docker(environment: environment))
      try importBusybox(docker)
      try FileManager.default.createDirectory(atPath: scratch.path + "/attempt/tree", withIntermediateDirectories: true)
      try FileManager.default.createDirectory(atPath: scratch.path + "/attempt-other", withIntermediateDirectories: true)
      func start(_ name: String, _ options: [String]) throws {
        try docker.run(["run", "--detach", "--network", "none", "--name", name] + options + ["tools", "/busybox", "sleep", "86400"])
      }
      try start("mounts", ["-v", "\(scratch.path)/attempt/tree:/work"])
      try start("labelled", ["--label", "\(AttemptContainers.label)=\(attempt)"])
      try start("another-attempt", ["--label", "\(AttemptContainers.label)=\(attempt)0"])
      try start("beside", ["-v", "\(scratch.path)/attempt-other:/work"])
      try docker.run(["run", "--network", "none", "--name", "ended", "-v", "\(scratch.path)/attempt/tree:/work", "tools", "/busybox", "true"])
      let containers = try #require(AttemptContainers(attempt: attempt, directories: [scratch.path + "/attempt"], environment: environment))
      #expect(try containers.remove())
      #expect(try docker.run(["ps", "--all", "--format", "{{.Names}}"]).split(separator: "\n").sorted() == ["another-attempt", "beside"])
      #expect(try !containers.remove())
      for name in ["another-attempt", "beside"] { try docker.run(["rm", "--force", name]) }
    }
  }

  @Test func dockerBuildsWhereThereIsNoBuildah() throws {
    try withDockerd { environment in
      let docker = try #require(Docker(environment: environment))
      try importBusybox(docker)
      let context = scratch.path + "/context"
      try scratch.write(
        "FROM tools AS a\nRUN [\"/busybox\", \"touch\", \"/made\"]\nFROM scratch\nCOPY --from=a /made /made\nLABEL own=yes\n",
        to: "context/Dockerfile")
      let builder = try ImageBuilder(attempt: attempt, scratch: scratch.work, environment: environment)
      #expect(builder.tool == .docker)
      let built = try scratch.run(
        builder.build(context: context, dockerfile: context + "/Dockerfile", platform: Architecture.amd64.platform, epoch: 0))
      try #require(built.end == .exited(0), "\(built.output)")
      let exported = try scratch.run(builder.export(to: scratch.path + "/image.tar"))
      try #require(exported.end == .exited(0), "\(exported.output)")
      #expect(try scratch.output("skopeo", ["inspect", "docker-archive:\(scratch.path)/image.tar"]).contains(#""own": "yes""#))
      try builder.cleanUp()
      #expect(try docker.run(["images", "--all", "--format", "{{.Repository}}"]) == "tools\n")
      #expect(!FileManager.default.fileExists(atPath: scratch.work))
    }
  }

  @Test func withoutADaemonThereIsNoDocker() throws {
    var environment = scratch.environment
    environment["DOCKER_HOST"] = "unix://\(scratch.path)/nothing"
    #expect(Docker(environment: environment) == nil)
    #expect(AttemptContainers(attempt: attempt, directories: [scratch.path], environment: environment) == nil)
    environment["PATH"] = scratch.path
    #expect(ImageBuilder.available(in: environment) == nil)
    #expect { _ = try ImageBuilder(attempt: attempt, scratch: scratch.work, environment: environment) } throws: {
      "\($0)".contains("install the package buildah")
    }
  }
}
