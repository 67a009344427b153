import EventLoop
import FoundationEssentials
import Glibc
import Processes

/// Runs the worker program on this machine as a child process, so that one machine needs no sshd.
///
/// The child gets a process group of its own and a small environment: no token of the coordinator reaches it.
package struct LocalTransport: WorkerTransport {
  package let hostName: String
  private let loop: DescriptorLoop

  package init(loop: DescriptorLoop, hostName: String = "local") {
    self.loop = loop
    self.hostName = hostName
  }

  package func withProcess<Value: Sendable>(
    _ command: RemoteCommand, limits: ProcessLimits, body: (any WorkerProcess) async throws -> Value
  ) async throws -> Value {
    let environment = Self.environment()
    let process = LocalProcess(loop: loop, hostName: hostName, deadline: ProcessDeadline(limits))
    let words = command.expanded(home: environment["HOME"] ?? "/")
    try await process.start(Command(words.first ?? "", Array(words.dropFirst()), environment: environment))
    do {
      let value = try await body(process)
      await process.end()
      return value
    } catch {
      await process.end()
      throw error
    }
  }

  static func environment() -> [String: String] {
    var values: [String: String] = [:]
    for name in ["PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TZ", "TMPDIR"] {
      if let value = getenv(name) { values[name] = String(cString: value) }
    }
    values["PATH"] = values["PATH"] ?? "/usr/bin:/bin"
    return values
  }
}
