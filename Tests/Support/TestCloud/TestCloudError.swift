/// Why a test cloud could not be started.
package enum TestCloudError: Error, Hashable, Sendable, CustomStringConvertible {
  case tool(command: String, reason: String)
  case registryNotReady(output: String)
  case notServing(what: String, reason: String)
  /// A request was waited for and did not come.
  case timedOut(what: String, seen: Int)

  package var description: String {
    switch self {
    case .tool(let command, let reason): "'\(command)' failed: \(reason)"
    case .registryNotReady(let output): "docker-registry did not start: \(output). Install the Debian package docker-registry"
    case .notServing(let what, let reason): "the \(what) cannot be served: \(reason)"
    case .timedOut(let what, let seen): "\(what) did not come in time; \(seen) requests were seen"
    }
  }
}
