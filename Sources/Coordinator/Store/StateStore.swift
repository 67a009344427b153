import BuildModel
import CanonicalJSON
import FoundationEssentials
import GRDB
import Glibc

/// The coordinator's journal: requests, tasks, attempts, events, reusable parts and host health, in SQLite.
///
/// Writers are the one engine of a state directory (see ``EngineLock``) and `cancel`; readers may be any process (WAL).
package struct StateStore: Sendable {
  let pool: DatabasePool
  package let path: String

  /// Opens `<directory>/state.sqlite`, creating or migrating it.
  package init(directory: String) throws(StoreError) {
    path = directory + "/state.sqlite"
    do {
      try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
      var configuration = Configuration()
      configuration.busyMode = .timeout(10)
      configuration.prepareDatabase { try $0.execute(sql: "PRAGMA synchronous = FULL") }
      pool = try DatabasePool(path: path, configuration: configuration)
      try Schema.migrator.migrate(pool)
    } catch {
      throw .open(path: path, reason: "\(error)")
    }
  }

  /// Runs a change in one transaction.
  func write<Value: Sendable>(_ change: @Sendable @escaping (Database) throws -> Value) async throws(StoreError) -> Value {
    do {
      return try await pool.write(change)
    } catch let error as StoreError {
      throw error
    } catch {
      throw .operation("\(error)")
    }
  }

  func read<Value: Sendable>(_ query: @Sendable @escaping (Database) throws -> Value) async throws(StoreError) -> Value {
    do {
      return try await pool.read(query)
    } catch let error as StoreError {
      throw error
    } catch {
      throw .operation("\(error)")
    }
  }

  static func json(_ value: some Encodable) throws -> String { String(decoding: try CanonicalJSON.encode(value), as: UTF8.self) }
}
