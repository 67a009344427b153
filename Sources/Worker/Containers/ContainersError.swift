import Glibc
import Processes

/// Container tools that cannot be used, or did not do their work.
package enum ContainersError: Error, Sendable, CustomStringConvertible {
  /// Neither of the tools is there and usable.
  case noBuilder
  /// The host has no way to run programs of the platform.
  case cannotRun(platform: String, host: String, reason: String)
  /// A tool ended with another status than 0, or did not end in its time.
  case tool(String, output: String)
  case malformed(path: String, reason: String)
  case system(operation: String, path: String, errno: Int32)

  package var description: String {
    switch self {
    case .noBuilder:
      "this host has no container builder that this account can use: install the package buildah (and uidmap, with a line for the account in /etc/subuid "
        + "and /etc/subgid), or docker.io with the account in the group docker"
    case .cannotRun(let platform, let host, let reason):
      "the Dockerfile runs programs of \(platform), which this \(host) host cannot: \(reason). Install qemu-user-static, which registers its emulators "
        + "with binfmt_misc (in a container or virtual machine: on the machine whose kernel it is), or use a host of that architecture"
    case .tool(let call, let output): "\(call): \(output)"
    case .malformed(let path, let reason): "\(path): \(reason)"
    case .system(let operation, let path, let code): "\(operation) \(path): \(String(cString: strerror(code)))"
    }
  }
}
