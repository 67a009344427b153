import Glibc
import Processes

/// The docker program, for short questions and orders to its daemon.
package struct Docker: Sendable {
  /// What it is run with: PATH, and where the daemon is (DOCKER_HOST).
  private let environment: [String: String]

  /// nil where there is no docker program or no daemon that this account may talk to.
  package init?(environment: [String: String]) {
    guard Command.find("docker", in: environment["PATH"] ?? "") != nil else { return nil }
    if let socket = Self.socket(in: environment), access(socket, W_OK) != 0 { return nil }
    self.environment = environment
  }

  /// The socket of the daemon that docker talks to; nil where it is reached over the network.
  package static func socket(in environment: [String: String]) -> String? {
    let host = environment["DOCKER_HOST"] ?? ""
    if host.isEmpty { return "/var/run/docker.sock" }
    return host.hasPrefix("unix://") ? String(host.dropFirst("unix://".count)) : nil
  }

  /// Whether this account may talk to the daemon's socket, with the docker program or any other.
  package static func isReachable(in environment: [String: String]) -> Bool { socket(in: environment).map { access($0, W_OK) == 0 } ?? true }

  /// A call, to be run by whoever watches over it.
  package func command(_ arguments: [String], environment more: [String: String] = [:]) -> Command {
    Command("docker", arguments, environment: environment.merging(more) { _, new in new }, directory: "/")
  }

  /// Runs a call to its end; throws with its output when its status is not 0.
  @discardableResult
  package func run(_ arguments: [String], seconds: Double = 30) throws -> String {
    let (end, output) = try capture(arguments, seconds: seconds)
    guard end == .exited(0) else { throw ContainersError.tool("docker \(arguments[0])", output: String(output.suffix(1000))) }
    return output
  }

  /// Runs a call to its end, whatever its status.
  func capture(_ arguments: [String], seconds: Double = 30) throws(ContainersError) -> (end: ChildEnd, output: String) {
    try ToolCall.capture(command(arguments), name: "docker \(arguments[0])", seconds: seconds)
  }
}

/// Containers and images that an attempt made in a daemon, which is no child of its.
package struct AttemptContainers: Sendable {
  /// The label of containers and images by which they belong to an attempt; its value is the attempt's id.
  package static let label = "io.blockfarm.attempt"

  private let attempt: String
  private let directories: [String]
  private let docker: Docker

  /// `directories` are the attempt's. nil where no daemon can be asked.
  package init?(attempt: String, directories: [String], environment: [String: String]) {
    guard let docker = Docker(environment: environment) else { return nil }
    self.attempt = attempt
    self.directories = directories
    self.docker = docker
  }

  /// Ends and removes every container that carries the label or mounts something at or below the directories, with its unnamed volumes, then the
  /// labelled images. Returns whether there were any.
  @discardableResult
  package func remove() throws -> Bool {
    let own = try containers()
    for id in own { try removed { try docker.run(["rm", "--force", "--volumes", id], seconds: 60) } }
    let images = try docker.run(["images", "--quiet", "--no-trunc", "--filter", "label=\(Self.label)=\(attempt)"])
    let ids = Set(images.split(separator: "\n").map(String.init))
    for id in ids { try removed { try docker.run(["rmi", "--force", id], seconds: 60) } }
    return !own.isEmpty || !ids.isEmpty
  }

  private func containers() throws -> [String] {
    let all = try docker.run(["ps", "--all", "--quiet", "--no-trunc"]).split(separator: "\n").map(String.init)
    if all.isEmpty { return [] }
    let format = "{{.Id}}\t{{index .Config.Labels \"\(Self.label)\"}}{{range .Mounts}}\t{{.Source}}{{end}}"
    // Its status is not 0 when one of them has gone in between; what it says of the others is right.
    let (_, output) = try docker.capture(["inspect", "--type", "container", "--format", format] + all)
    return output.split(separator: "\n").compactMap { line in
      let fields = line.split(separator: "\t", omittingEmptySubsequences: false)
      guard fields.count >= 2, all.contains(String(fields[0])) else { return nil }
      let isOwn =
        fields[1] == attempt || fields.dropFirst(2).contains { source in directories.contains { source == $0 || source.hasPrefix($0 + "/") } }
      return isOwn ? String(fields[0]) : nil
    }
  }

  /// What is gone already is as good as removed here.
  private func removed(_ body: () throws -> Void) throws {
    do {
      try body()
    } catch ContainersError.tool(let call, let output) {
      guard output.contains("No such") || output.contains("is already in progress") else { throw ContainersError.tool(call, output: output) }
    }
  }
}
