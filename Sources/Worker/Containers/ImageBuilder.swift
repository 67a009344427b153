import BuildModel
import FoundationEssentials
import Glibc
import Processes

/// Builds an image from a Dockerfile with buildah, else with docker, and leaves nothing of its own behind.
///
/// buildah works in a storage of its own below `scratch` (driver vfs, isolation chroot, unless the environment's STORAGE_DRIVER and BUILDAH_ISOLATION say
/// otherwise), so base images are pulled anew each time and nothing of other builds is seen. Both give build steps the host's network: base images must come from somewhere,
/// and chroot isolation could not take it away.
package struct ImageBuilder: Sendable {
  package enum Tool: Hashable, Sendable { case buildah, docker }

  package let tool: Tool
  private let scratch: String
  private let environment: [String: String]
  private let attempt: String

  /// `scratch` is an existing directory that is this builder's alone. Throws ``ContainersError/noBuilder``.
  package init(attempt: String, scratch: String, environment: [String: String]) throws(ContainersError) {
    guard let tool = Self.available(in: environment) else { throw .noBuilder }
    self.tool = tool
    self.scratch = scratch
    self.attempt = attempt
    var environment = environment
    // Where pulled layers are kept on their way.
    environment["TMPDIR"] = scratch
    self.environment = environment
  }

  /// The tool that is used here. Without uidmap an ordinary account's buildah cannot give files their owners.
  package static func available(in environment: [String: String]) -> Tool? {
    let path = environment["PATH"] ?? ""
    if Command.find("buildah", in: path) != nil, getuid() == 0 || Command.find("newuidmap", in: path) != nil { return .buildah }
    return Docker(environment: environment) == nil ? nil : .docker
  }

  private var identityFile: String { scratch + "/image-id" }

  /// Builds `context` by its Dockerfile at `dockerfile` (absolute paths). File times are clamped to `epoch` where the tool can.
  package func build(context: String, dockerfile: String, platform: Platform, epoch: Int64) throws(ContainersError) -> Command {
    switch tool {
    case .buildah:
      return buildah([
        "build", "--isolation", environment["BUILDAH_ISOLATION"] ?? "chroot", "--platform", platform.description, "--layers=false",
        "--identity-label=false", "--timestamp", String(epoch), "--iidfile", identityFile, "--file", dockerfile, context,
      ])
    case .docker:
      return try docker().command(
        [
          "build", "--platform", platform.description, "--network", "host", "--label", "\(AttemptContainers.label)=\(attempt)", "--iidfile",
          identityFile, "--file",
          dockerfile, context,
        ], environment: ["DOCKER_BUILDKIT": "1", "BUILDKIT_PROGRESS": "plain"])
    }
  }

  /// Writes the built image as a docker-archive.
  package func export(to archive: String) throws(ContainersError) -> Command {
    let bytes = BoundedFile.contents(identityFile, limit: 256) ?? []
    let text = String(decoding: bytes.filter { $0 > 32 }, as: UTF8.self)
    guard let id = Digest(text) else { throw .malformed(path: identityFile, reason: "holds no image id") }
    return switch tool {
    case .buildah: buildah(["push", "--quiet", id.hex, "docker-archive:\(archive)"])
    case .docker: try docker().command(["save", "--output", archive, id.description])
    }
  }

  /// Removes whatever the build made, the scratch directory included. Call it once the build's processes are gone.
  package func cleanUp() throws {
    // The images first: what removes files must not find a busy daemon.
    if tool == .docker { try AttemptContainers(attempt: attempt, directories: [scratch], environment: environment)?.remove() }
    try ImageStorage.remove([scratch], environment: environment)
  }

  private func buildah(_ arguments: [String]) -> Command {
    Command(
      "buildah",
      ["--root", scratch + "/storage", "--runroot", scratch + "/run", "--storage-driver", environment["STORAGE_DRIVER"] ?? "vfs"] + arguments,
      environment: environment, directory: scratch)
  }

  private func docker() throws(ContainersError) -> Docker {
    guard let docker = Docker(environment: environment) else { throw .noBuilder }
    return docker
  }
}

/// Directories in which buildah kept images.
package enum ImageStorage {
  /// Removes them. An ordinary account's files in there belong to its subordinate users, so that takes buildah's user namespace.
  package static func remove(_ paths: [String], environment: [String: String]) throws {
    let there = paths.filter { access($0, F_OK) == 0 }
    if there.isEmpty { return }
    let unshared = getuid() != 0 && Command.find("buildah", in: environment["PATH"] ?? "") != nil
    let words = (unshared ? ["buildah", "unshare"] : []) + ["rm", "-rf", "--"] + there
    let command = Command(words[0], Array(words.dropFirst()), environment: environment, directory: "/")
    let call = words.prefix(3).joined(separator: " ")
    let (end, output) = try ToolCall.capture(command, name: call, seconds: 300)
    guard end == .exited(0), !there.contains(where: { access($0, F_OK) == 0 }) else {
      throw ContainersError.tool(call, output: String(output.suffix(1000)))
    }
  }
}
