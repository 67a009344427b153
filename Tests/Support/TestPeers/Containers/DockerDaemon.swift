import Foundation
import TestFiles

/// A dockerd with its own data, socket and runtime directory.
package struct DockerDaemon: Sendable {
  /// As DOCKER_HOST names it.
  package let host: String

  /// The client, ready for its arguments.
  package var words: [String] { ["docker", "-H", host] }

  /// Runs the client; gives its standard output.
  @discardableResult
  package func run(_ arguments: String...) throws -> String { try Tool.run(words + arguments) }
}

/// Runs `body` with a dockerd, and ends it afterwards. Needs root.
///
/// - Parameter dataRoot: where images and containers lie; nil is a scratch directory.
package func withDockerDaemon<Value>(dataRoot: String? = nil, _ body: (DockerDaemon) throws -> Value) throws -> Value {
  try withScratchDirectory { scratch in
    let socket = scratch + "/socket"
    let data = dataRoot ?? scratch + "/data"
    let child = try Child(
      [
        "dockerd", "--data-root", data, "--exec-root", scratch + "/exec", "--host", "unix://" + socket, "--pidfile", scratch + "/pid",
        "--iptables=false", "--ip6tables=false", "--bridge=none", "--storage-driver", "overlay2",
      ], environment: Tool.environment, limit: 600)
    defer {
      child.end(grace: 30)
      // A daemon that did not start leaves its data mounted on itself.
      _ = try? Tool.end(of: ["umount", data])
    }
    try child.waitFor("API listen on \(socket)", seconds: 120)
    return try body(DockerDaemon(host: "unix://" + socket))
  }
}
