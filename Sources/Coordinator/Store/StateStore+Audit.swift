import BuildModel
import GRDB

extension StateStore {
  /// Notes an entry of the audit log; a newer one that another process has noted stays.
  func noteAudit(number: Int, digest: Digest) async throws(StoreError) {
    try await write { database in
      try database.execute(
        sql: """
          INSERT INTO auditHead (id, number, digest) VALUES (1, ?, ?)
          ON CONFLICT (id) DO UPDATE SET number = excluded.number, digest = excluded.digest WHERE excluded.number > number
          """,
        arguments: [number, digest.description])
    }
  }

  /// The newest entry that was noted; nil where none was.
  func auditHead() async throws(StoreError) -> (number: Int, digest: Digest)? {
    try await read { database in
      guard let row = try Row.fetchOne(database, sql: "SELECT number, digest FROM auditHead") else { return nil }
      return (number: row["number"], digest: try row.text("digest") { Digest($0) })
    }
  }
}
