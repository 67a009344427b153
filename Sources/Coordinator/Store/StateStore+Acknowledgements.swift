import BuildModel
import GRDB

extension StateStore {
  /// Notes that all that is wanted of the attempt's outcome is stored here: its host may let go of it.
  package func noteCollected(_ id: AttemptID) async throws(StoreError) {
    try await write { database in
      try database.execute(
        sql: "UPDATE attempt SET collectedAt = ? WHERE id = ? AND collectedAt IS NULL", arguments: [Timestamp.now.description, id.description])
    }
  }

  /// Notes that the attempt's host knows it, or knows the attempt no more.
  package func noteAcknowledged(_ id: AttemptID) async throws(StoreError) {
    try await write { database in
      try database.execute(
        sql: "UPDATE attempt SET acknowledgedAt = ? WHERE id = ? AND acknowledgedAt IS NULL", arguments: [Timestamp.now.description, id.description])
    }
  }

  /// Attempts on the host of whose outcomes nothing more is wanted, and of which the host does not know that yet: the oldest ones, at most `limit`.
  /// Of a request that has ended nothing is wanted, whatever became of its attempts.
  package func unacknowledged(on host: HostName, limit: Int) async throws(StoreError) -> [AttemptID] {
    try await read { database in
      try Row.fetchAll(
        database,
        sql: """
          SELECT attempt.id FROM attempt JOIN request ON request.id = attempt.request
          WHERE attempt.host = ? AND attempt.acknowledgedAt IS NULL AND (attempt.collectedAt IS NOT NULL OR request.state = 'ended')
          ORDER BY attempt.startedAt, attempt.id LIMIT ?
          """,
        arguments: [host.text, limit]
      ).map { try $0.text("id", AttemptID.init) }
    }
  }

  /// Bytes that the newest good attempts of a device type took on their hosts' disks: of those that made at least what is asked for, at most `limit`.
  package func diskBytes(of slug: Slug, system: Bool, blocks: Bool, limit: Int) async throws(StoreError) -> [Int64] {
    try await read { database in
      try Int64.fetchAll(
        database,
        sql: """
          SELECT json_extract(outcome, '$.diskBytes') AS bytes FROM attempt
          WHERE slug = ? AND outcome IS NOT NULL AND json_extract(outcome, '$.failure') IS NULL AND typeof(bytes) = 'integer'
          AND (NOT ? OR json_extract(spec, '$.system') IS NOT NULL) AND (NOT ? OR json_array_length(spec, '$.blocks') > 0)
          ORDER BY startedAt DESC LIMIT ?
          """,
        arguments: [slug.text, system, blocks, limit])
    }
  }
}
