import BuildModel
import GRDB

extension StateStore {
  /// Records a request and all its tasks at once.
  package func add(_ request: RequestRecord, tasks: [TaskRecord]) async throws(StoreError) {
    try await write { database in
      try database.execute(
        sql: "INSERT INTO request (id, createdAt, planDigest, state, cancelRequested, output, problems) VALUES (?, ?, ?, ?, ?, ?, ?)",
        arguments: [
          request.id.text, request.createdAt.description, request.planDigest.description, request.state.rawValue,
          request.cancelRequested, request.output, try StateStore.json(request.problems),
        ])
      for task in tasks {
        try database.execute(
          sql: "INSERT INTO task (request, slug, machine, arch, state, planned, waiting, record) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
          arguments: [
            task.request.text, task.slug.text, task.machine.text, task.arch.rawValue, task.state.rawValue,
            String(decoding: task.planned, as: UTF8.self), String(decoding: task.waiting, as: UTF8.self),
            task.record.map { String(decoding: $0, as: UTF8.self) },
          ])
      }
    }
  }

  /// The newest requests first.
  package func requests(limit: Int = 20) async throws(StoreError) -> [RequestRecord] {
    try await read { database in
      try Row.fetchAll(database, sql: "SELECT * FROM request ORDER BY createdAt DESC, id DESC LIMIT ?", arguments: [limit])
        .map { try RequestRecord(row: $0) }
    }
  }

  package func request(_ id: RequestID) async throws(StoreError) -> RequestRecord? {
    try await read { database in
      try Row.fetchOne(database, sql: "SELECT * FROM request WHERE id = ?", arguments: [id.text]).map { try RequestRecord(row: $0) }
    }
  }

  /// Requests that never reached their end, oldest first.
  package func unfinishedRequests() async throws(StoreError) -> [RequestRecord] {
    try await read { database in
      try Row.fetchAll(database, sql: "SELECT * FROM request WHERE state = 'running' ORDER BY createdAt")
        .map { try RequestRecord(row: $0) }
    }
  }

  package func end(_ id: RequestID, at time: Timestamp) async throws(StoreError) {
    try await write { database in
      try database.execute(
        sql: "UPDATE request SET state = 'ended', endedAt = ? WHERE id = ?", arguments: [time.description, id.text])
    }
  }

  /// Notes the wish to cancel; the engine acts on it.
  package func requestCancel(_ id: RequestID) async throws(StoreError) {
    try await write { database in
      try database.execute(sql: "UPDATE request SET cancelRequested = 1 WHERE id = ?", arguments: [id.text])
    }
  }

  package func tasks(of id: RequestID) async throws(StoreError) -> [TaskRecord] {
    try await read { database in
      try Row.fetchAll(database, sql: "SELECT * FROM task WHERE request = ? ORDER BY slug", arguments: [id.text])
        .map { try TaskRecord(row: $0) }
    }
  }

  package func update(_ id: RequestID, _ slug: Slug, state: TaskRecord.State, waiting: [UInt8]) async throws(StoreError) {
    try await write { database in
      try database.execute(
        sql: "UPDATE task SET state = ?, waiting = ? WHERE request = ? AND slug = ?",
        arguments: [state.rawValue, String(decoding: waiting, as: UTF8.self), id.text, slug.text])
    }
  }

  /// Writes the end of a task; it is not changed again.
  package func end(_ id: RequestID, _ slug: Slug, record: [UInt8]) async throws(StoreError) {
    try await write { database in
      try database.execute(
        sql: "UPDATE task SET state = 'ended', waiting = '[]', record = ? WHERE request = ? AND slug = ? AND record IS NULL",
        arguments: [String(decoding: record, as: UTF8.self), id.text, slug.text])
      try database.execute(sql: "DELETE FROM inHand WHERE request = ? AND slug = ?", arguments: [id.text, slug.text])
    }
  }
}
