import BuildModel
import GRDB

/// What a publication did to one application, as the journal keeps it.
package struct PublicationRecord: Sendable, Hashable {
  /// Scheme, host and port of the API.
  package var api: String
  package var application: String
  package var version: String
  /// What the release is recognised by.
  package var commit: String
  /// How far it came; the words belong to whoever wrote it.
  package var stage: String
  /// Id of the application or release that the stage is about.
  package var row: Int64
  package var time: Timestamp

  package init(api: String, application: String, version: String, commit: String, stage: String, row: Int64, time: Timestamp) {
    self.api = api
    self.application = application
    self.version = version
    self.commit = commit
    self.stage = stage
    self.row = row
    self.time = time
  }
}

extension StateStore {
  /// Notes a stage; the same one again only gets a newer time.
  package func note(_ record: PublicationRecord) async throws(StoreError) {
    try await write { database in
      try database.execute(
        sql: """
          INSERT INTO publication (api, application, version, "commit", stage, "row", time) VALUES (?, ?, ?, ?, ?, ?, ?)
          ON CONFLICT (api, application, version, "commit", stage) DO UPDATE SET "row" = excluded."row", time = excluded.time
          """,
        arguments: [record.api, record.application, record.version, record.commit, record.stage, record.row, record.time.description])
    }
  }

  /// What was published of a version, in the order in which it was noted.
  package func publications(api: String, version: String) async throws(StoreError) -> [PublicationRecord] {
    try await read { database in
      try Row.fetchAll(
        database, sql: "SELECT * FROM publication WHERE api = ? AND version = ? ORDER BY time, rowid", arguments: [api, version]
      ).map { row in
        PublicationRecord(
          api: row["api"], application: row["application"], version: row["version"], commit: row["commit"], stage: row["stage"],
          row: row["row"], time: try row.text("time", Timestamp.init))
      }
    }
  }

  /// Notes that blobs are in a registry's repository; the newest place of each is kept.
  package func notePushed(_ blobs: [Digest], registry: String, repository: String) async throws(StoreError) {
    try await write { database in
      for blob in blobs {
        try database.execute(
          sql: "INSERT OR REPLACE INTO pushedBlob (registry, digest, repository) VALUES (?, ?, ?)",
          arguments: [registry, blob.description, repository])
      }
    }
  }

  /// Where these blobs were pushed, of those that ever were.
  package func repositories(of registry: String, holding blobs: [Digest]) async throws(StoreError) -> [Digest: String] {
    try await read { database in
      var found: [Digest: String] = [:]
      for blob in blobs {
        found[blob] = try String.fetchOne(
          database, sql: "SELECT repository FROM pushedBlob WHERE registry = ? AND digest = ?", arguments: [registry, blob.description])
      }
      return found
    }
  }
}
