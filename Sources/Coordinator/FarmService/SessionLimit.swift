import BuildModel
import Executors

/// How many commands at once a host's sshd allows on one connection, where that is less than the slots need. More connections make up for it, up to
/// a limit of our own.
package struct SessionLimit: Codable, Hashable, Sendable, CustomStringConvertible {
  /// sshd's MaxSessions, as it showed.
  package var perConnection: Int
  /// Connections to one host at the same time, at most.
  package var connections: Int
  package var slots: Int

  package init(perConnection: Int, connections: Int, slots: Int) {
    self.perConnection = perConnection
    self.connections = connections
    self.slots = slots
  }

  /// Commands that run on a host at once: one follows each attempt, one fetches what an attempt made, and one asks how the host is.
  static func needed(slots: Int) -> Int { slots + 2 }
  /// Tried on one connection; sshd's default is 10.
  private static let tried = 8

  package var isTooLow: Bool { perConnection * connections < Self.needed(slots: slots) }

  package var description: String {
    let need = "\(Counted(slots, "slot")) need\(slots == 1 ? "s" : "") \(Self.needed(slots: slots)) at once"
    let allows = "its sshd allows \(Counted(perConnection, "command")) at once on a connection (MaxSessions), and \(need)"
    guard isTooLow else { return "\(allows): more connections make up for it, of which blockfarm opens \(connections) at most" }
    return "\(allows), more than \(connections) connections allow: raise MaxSessions in the host's sshd_config, or give the host fewer slots"
  }

  /// nil where the host allows what the slots need.
  static func measure(_ connection: HostConnection, slots: Int) async throws -> SessionLimit? {
    let wanted = min(needed(slots: slots), tried)
    let allowed = try await connection.commandsAtOnce(upTo: wanted)
    return allowed < wanted ? SessionLimit(perConnection: allowed, connections: connection.sessionLimit, slots: slots) : nil
  }
}
