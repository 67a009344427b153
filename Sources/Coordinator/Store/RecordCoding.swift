import BuildModel
import CanonicalJSON
import FoundationEssentials
import GRDB

/// Reads typed columns; a value that cannot be read is an error that names the column, never a default.
extension Row {
  func text<Value>(_ column: String, _ parse: (String) -> Value?) throws(StoreError) -> Value {
    guard let text = self[column] as String? else { throw .corrupt(what: column, reason: "no value") }
    guard let value = parse(text) else { throw .corrupt(what: column, reason: "'\(text.prefix(80))'") }
    return value
  }

  func optionalText<Value>(_ column: String, _ parse: (String) -> Value?) throws(StoreError) -> Value? {
    guard let text = self[column] as String? else { return nil }
    guard let value = parse(text) else { throw .corrupt(what: column, reason: "'\(text.prefix(80))'") }
    return value
  }

  func json<Value: Decodable>(_ column: String, _ type: Value.Type) throws(StoreError) -> Value {
    guard let text = self[column] as String? else { throw .corrupt(what: column, reason: "no value") }
    do {
      return try CanonicalJSON.decode(type, from: text.utf8)
    } catch {
      throw .corrupt(what: column, reason: "\(error)")
    }
  }
}

extension RequestRecord {
  init(row: Row) throws(StoreError) {
    id = try row.text("id", RequestID.init)
    createdAt = try row.text("createdAt", Timestamp.init)
    endedAt = try row.optionalText("endedAt", Timestamp.init)
    planDigest = try row.text("planDigest") { Digest($0) }
    state = try row.text("state", State.init)
    cancelRequested = row["cancelRequested"]
    output = try row.text("output") { $0 }
    problems = try row.json("problems", [String].self)
  }
}

extension TaskRecord {
  init(row: Row) throws(StoreError) {
    request = try row.text("request", RequestID.init)
    slug = try row.text("slug") { try? Slug($0) }
    machine = try row.text("machine") { try? Machine($0) }
    arch = try row.text("arch", Architecture.init)
    state = try row.text("state", State.init)
    planned = try row.text("planned") { Array($0.utf8) }
    waiting = try row.text("waiting") { Array($0.utf8) }
    record = try row.optionalText("record") { Array($0.utf8) }
  }
}

extension AttemptRecord {
  init(row: Row) throws(StoreError) {
    id = try row.text("id", AttemptID.init)
    host = try row.text("host") { try? HostName($0) }
    spec = try row.json("spec", TaskSpec.self)
    state = try row.text("state", State.init)
    startedAt = try row.text("startedAt", Timestamp.init)
    endedAt = try row.optionalText("endedAt", Timestamp.init)
    lastEvent = row["lastEvent"]
    logOffset = row["logOffset"]
    outcome = (row["outcome"] as String?) == nil ? nil : try row.json("outcome", Outcome.self)
  }
}
