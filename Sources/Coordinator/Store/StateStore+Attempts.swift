import BuildModel
import GRDB

extension StateStore {
  /// Records an attempt, before its worker hears of it.
  package func add(_ attempt: AttemptRecord) async throws(StoreError) {
    try await write { database in
      try database.execute(
        sql: """
          INSERT INTO attempt (id, request, slug, number, host, spec, state, startedAt) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
          """,
        arguments: [
          attempt.id.description, attempt.id.request.text, attempt.id.slug.text, attempt.id.number, attempt.host.text,
          try StateStore.json(attempt.spec), attempt.state.rawValue, attempt.startedAt.description,
        ])
    }
  }

  package func attempts(of request: RequestID, slug: Slug? = nil) async throws(StoreError) -> [AttemptRecord] {
    try await read { database in
      try Row.fetchAll(
        database, sql: "SELECT * FROM attempt WHERE request = ? AND (? IS NULL OR slug = ?) ORDER BY slug, number",
        arguments: [request.text, slug?.text, slug?.text]
      ).map { try AttemptRecord(row: $0) }
    }
  }

  package func attempt(_ id: AttemptID) async throws(StoreError) -> AttemptRecord? {
    try await read { database in
      try Row.fetchOne(database, sql: "SELECT * FROM attempt WHERE id = ?", arguments: [id.description])
        .map { try AttemptRecord(row: $0) }
    }
  }

  package func set(_ id: AttemptID, state: AttemptRecord.State) async throws(StoreError) {
    try await write { database in
      try database.execute(sql: "UPDATE attempt SET state = ? WHERE id = ?", arguments: [state.rawValue, id.description])
    }
  }

  /// Appends an event and, with an outcome, ends the attempt, in one transaction. An event that is there already changes nothing.
  package func append(_ event: WorkerEvent, to id: AttemptID) async throws(StoreError) {
    try await write { database in
      try database.execute(
        sql: "INSERT OR IGNORE INTO event (attempt, sequence, time, kind) VALUES (?, ?, ?, ?)",
        arguments: [id.description, event.sequence, event.time.description, try StateStore.json(event.kind)])
      try database.execute(
        sql: "UPDATE attempt SET lastEvent = max(lastEvent, ?), state = iif(state = 'dispatching', 'running', state) WHERE id = ?",
        arguments: [event.sequence, id.description])
      if case .outcome(let outcome) = event.kind {
        try database.execute(
          sql: """
            UPDATE attempt SET outcome = ?, endedAt = ?,
            state = iif(state = 'abandoned', 'superseded', 'ended') WHERE id = ? AND outcome IS NULL
            """,
          arguments: [try StateStore.json(outcome), event.time.description, id.description])
      }
    }
  }

  package func events(of id: AttemptID, after sequence: Int = 0) async throws(StoreError) -> [WorkerEvent] {
    try await read { database in
      try Row.fetchAll(
        database, sql: "SELECT * FROM event WHERE attempt = ? AND sequence > ? ORDER BY sequence", arguments: [id.description, sequence]
      ).map { row in
        WorkerEvent(
          sequence: row["sequence"], time: try row.text("time", Timestamp.init),
          kind: try row.json("kind", WorkerEvent.Kind.self))
      }
    }
  }
}
