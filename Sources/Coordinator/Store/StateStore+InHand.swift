import BuildModel
import GRDB

/// What the coordinator works on, so that after a crash the next one knows what may have been the cause.
extension StateStore {
  /// Notes that the coordinator begins to work on device types. The end of a task removes the note.
  package func takeInHand(_ request: RequestID, _ slugs: [Slug]) async throws(StoreError) {
    try await write { database in
      for slug in slugs {
        try database.execute(
          sql: "INSERT INTO inHand (request, slug, isHeld) VALUES (?, ?, 1) ON CONFLICT (request, slug) DO UPDATE SET isHeld = 1",
          arguments: [request.text, slug.text])
      }
    }
  }

  /// Notes that a device type waits again.
  package func putBack(_ request: RequestID, _ slug: Slug) async throws(StoreError) {
    try await write { database in
      try database.execute(sql: "UPDATE inHand SET isHeld = 0 WHERE request = ? AND slug = ?", arguments: [request.text, slug.text])
    }
  }

  /// After a restart: counts, for each device type that was in hand, one crash more if the last coordinator crashed, and puts it back.
  /// Returns how often in a row the coordinator has crashed with each of them.
  package func crashes(of request: RequestID, didCrash: Bool) async throws(StoreError) -> [Slug: Int] {
    try await write { database in
      try database.execute(
        sql: "UPDATE inHand SET crashes = crashes + ?, isHeld = 0 WHERE request = ? AND isHeld", arguments: [didCrash ? 1 : 0, request.text])
      let rows = try Row.fetchAll(database, sql: "SELECT slug, crashes FROM inHand WHERE request = ?", arguments: [request.text])
      return Dictionary(uniqueKeysWithValues: try rows.map { (try $0.text("slug") { try? Slug($0) }, $0["crashes"]) })
    }
  }
}
