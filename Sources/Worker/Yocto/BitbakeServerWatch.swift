import Glibc
import Processes

/// Notices that bitbake waits for a server that is gone. bitbake up to 2.2 would wait for ever; newer ones ask their server once a minute.
///
/// Only what is on this host's side of a container is seen.
package struct BitbakeServerWatch: Sendable {
  /// What a process is to bitbake.
  package enum Role: Hashable, Sendable {
    /// The program that was called, and prints what the server tells it.
    case client
    /// Parses, and runs tasks through its workers.
    case server
  }

  /// Seconds without a server after which it counts as gone. A client starts its server itself, and waits up to 90 seconds for it.
  package static let patience = 120.0

  private var missingSince: Double?

  package init() {}

  /// Takes what there is at a moment (seconds of the monotonic clock); true when a client has been without a server for too long.
  package mutating func isGone(roles: Set<Role>, now: Double) -> Bool {
    guard roles == [.client] else {
      missingSince = nil
      return false
    }
    let since = missingSince ?? now
    missingSince = since
    return now - since >= Self.patience
  }

  /// The roles among some processes.
  package static func roles(of processes: [pid_t]) -> Set<Role> { Set(processes.compactMap(role)) }

  private static func role(of process: pid_t) -> Role? {
    let words = (BoundedFile.contents("/proc/\(process)/cmdline", limit: 1 << 16) ?? []).split(separator: 0)
    let name = (BoundedFile.contents("/proc/\(process)/comm", limit: 64) ?? []).filter { $0 > 32 }
    return role(name: String(decoding: name, as: UTF8.self), words: words.map { String(decoding: $0, as: UTF8.self) })
  }

  /// From the name that a process gave itself, and the words it was started with. A server calls itself `Cooker` once it is up; until bitbake 1.44 it
  /// has its client's words.
  package static func role(name: String, words: [String]) -> Role? {
    if name == "Cooker" { return .server }
    guard words.count > 1, let program = words[1].split(separator: "/").last else { return nil }
    if program == "bitbake-server" { return name.hasPrefix("Parser") ? nil : .server }
    return program == "bitbake" || name == "KnottyUI" ? .client : nil
  }
}
