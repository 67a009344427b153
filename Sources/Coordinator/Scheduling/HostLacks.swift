import BuildModel

/// One host, and all that keeps it from taking a task now.
package struct HostLacks: Hashable, Sendable {
  package var host: HostName
  package var obstacles: [HostObstacle]

  package init(host: HostName, obstacles: [HostObstacle]) {
    self.host = host
    self.obstacles = obstacles
  }

  package var reason: HostReason { HostReason(host: host, reasons: obstacles.map(\.description)) }

  /// Whether the host serves the task's architecture.
  package var servesArchitecture: Bool {
    !obstacles.contains { if case .architecture = $0 { true } else { false } }
  }

  /// The latest of what has to happen; `soon` for a host that lacks nothing.
  var outlook: HostObstacle.Outlook {
    if obstacles.contains(where: { $0.outlook == .never }) { return .never }
    return obstacles.contains { $0.outlook == .later } ? .later : .soon
  }
}

/// One host's part of an explanation.
package struct HostReason: Codable, Hashable, Sendable, CustomStringConvertible {
  package var host: HostName
  package var reasons: [String]
  package init(host: HostName, reasons: [String]) {
    self.host = host
    self.reasons = reasons
  }

  package var description: String { "\(host) \(reasons.joined(separator: ", "))" }
}
