import BuildModel
import GRDB

extension StateStore {
  /// A host's health record as JSON, and the reason it was drained by hand, if it was.
  package func host(_ name: HostName) async throws(StoreError) -> (health: [UInt8]?, drained: String?) {
    try await read { database in
      guard let row = try Row.fetchOne(database, sql: "SELECT * FROM host WHERE name = ?", arguments: [name.text]) else {
        return (nil, nil)
      }
      return (try row.text("health") { Array($0.utf8) }, row["drained"] as String?)
    }
  }

  /// The same of every host that anything is noted about.
  package func hosts() async throws(StoreError) -> [HostName: (health: [UInt8], drained: String?)] {
    try await read { database in
      let rows = try Row.fetchAll(database, sql: "SELECT * FROM host").map { row in
        (try row.text("name") { try? HostName($0) }, (health: try row.text("health") { Array($0.utf8) }, drained: row["drained"] as String?))
      }
      return Dictionary(rows, uniquingKeysWith: { first, _ in first })
    }
  }

  package func setHealth(_ health: [UInt8], of name: HostName) async throws(StoreError) {
    try await write { database in
      try database.execute(
        sql: "INSERT INTO host (name, health) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET health = excluded.health",
        arguments: [name.text, String(decoding: health, as: UTF8.self)])
    }
  }

  /// Drains a host (with a reason) or, with nil, resumes it and forgets its failures.
  package func setDrained(_ reason: String?, of name: HostName) async throws(StoreError) {
    try await write { database in
      try database.execute(
        sql: """
          INSERT INTO host (name, health, drained) VALUES (?, '{"consecutiveFailures":0,"lastReason":""}', ?)
          ON CONFLICT (name) DO UPDATE SET drained = excluded.drained,
          health = iif(excluded.drained IS NULL, excluded.health, health)
          """,
        arguments: [name.text, reason])
    }
  }
}
