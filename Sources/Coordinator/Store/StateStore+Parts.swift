import BuildModel
import GRDB

/// A part of a device type's build that can be used again: what an attempt made for one step key.
package struct PartRecord: Sendable {
  package var key: Digest
  package var slug: Slug
  /// JSON of the result; its form belongs to whoever wrote it.
  package var content: [UInt8]
  package var createdAt: Timestamp
  /// How long making it took.
  package var seconds: Double

  package init(key: Digest, slug: Slug, content: [UInt8], createdAt: Timestamp, seconds: Double) {
    self.key = key
    self.slug = slug
    self.content = content
    self.createdAt = createdAt
    self.seconds = seconds
  }
}

extension StateStore {
  package func part(_ key: Digest) async throws(StoreError) -> PartRecord? {
    try await read { database in
      try Row.fetchOne(database, sql: "SELECT * FROM part WHERE key = ?", arguments: [key.description]).map { row in
        PartRecord(
          key: key, slug: try row.text("slug") { try? Slug($0) }, content: try row.text("content") { Array($0.utf8) },
          createdAt: try row.text("createdAt", Timestamp.init), seconds: row["seconds"])
      }
    }
  }

  package func put(_ part: PartRecord) async throws(StoreError) {
    try await write { database in
      try database.execute(
        sql: "INSERT OR REPLACE INTO part (key, slug, content, createdAt, seconds) VALUES (?, ?, ?, ?, ?)",
        arguments: [
          part.key.description, part.slug.text, String(decoding: part.content, as: UTF8.self), part.createdAt.description, part.seconds,
        ])
    }
  }

  /// Seconds that this device type's last build took, for the order of dispatch.
  package func lastSeconds(of slug: Slug) async throws(StoreError) -> Double? {
    try await read { database in
      try Double.fetchOne(
        database, sql: "SELECT max(seconds) FROM part WHERE slug = ? AND createdAt > datetime('now', '-90 days')", arguments: [slug.text])
    }
  }
}
