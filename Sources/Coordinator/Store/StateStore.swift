import BuildModel
import CanonicalJSON
import GRDB

/// The coordinator's journal: requests, tasks, attempts, events, reusable parts and host health, in SQLite.
///
/// Writers are the one engine of a state directory (see ``EngineLock``) and `cancel`; readers may be any process (WAL).
package struct StateStore: Sendable {
  private let database: StateDatabase
  package var path: String { database.path }

  /// `<directory>/state.sqlite`. An existing one is opened and migrated; a missing one is made by the first change.
  package init(directory: String) throws(StoreError) {
    database = StateDatabase(directory: directory)
    _ = try database.forReading()
  }

  /// Makes the database where it is missing.
  package func make() throws(StoreError) { _ = try database.forWriting() }

  /// Runs a change in one transaction.
  func write<Value: Sendable>(_ change: @Sendable @escaping (Database) throws -> Value) async throws(StoreError) -> Value {
    let pool = try database.forWriting()
    do {
      return try await pool.write(change)
    } catch let error as StoreError {
      throw error
    } catch {
      throw .operation(path: path, reason: SQLiteCause.text(error))
    }
  }

  func read<Value: Sendable>(_ query: @Sendable @escaping (Database) throws -> Value) async throws(StoreError) -> Value {
    let reader = try database.forReading()
    do {
      return try await reader.read(query)
    } catch let error as StoreError {
      throw error
    } catch {
      throw .operation(path: path, reason: SQLiteCause.text(error))
    }
  }

  static func json(_ value: some Encodable) throws -> String { String(decoding: try CanonicalJSON.encode(value), as: UTF8.self) }
}
