import FoundationEssentials
import GRDB
import Synchronization

/// The database file. It is made by the first change: who only looks leaves nothing behind.
final class StateDatabase: Sendable {
  let path: String
  private let directory: String
  private let opened = Mutex<DatabasePool?>(nil)

  init(directory: String) {
    self.directory = directory
    path = directory + "/state.sqlite"
  }

  /// For a change: makes the file where it is missing.
  func forWriting() throws(StoreError) -> DatabasePool {
    do {
      return try opened.withLock { known in
        if let known { return known }
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let pool = try open()
        known = pool
        return pool
      }
    } catch {
      throw .open(path: path, reason: SQLiteCause.text(error))
    }
  }

  /// For a question: an empty database where there is no file.
  func forReading() throws(StoreError) -> any DatabaseReader {
    if let known = opened.withLock({ $0 }) { return known }
    if FileManager.default.fileExists(atPath: path) { return try forWriting() }
    do {
      let empty = try DatabaseQueue()
      try Schema.migrator.migrate(empty)
      return empty
    } catch {
      throw .open(path: "in memory", reason: SQLiteCause.text(error))
    }
  }

  private func open() throws -> DatabasePool {
    var configuration = Configuration()
    configuration.busyMode = .timeout(10)
    configuration.prepareDatabase { try $0.execute(sql: "PRAGMA synchronous = FULL") }
    let pool = try DatabasePool(path: path, configuration: configuration)
    try Schema.migrator.migrate(pool)
    return pool
  }
}

/// What SQLite complains of, for people: neither statements nor numbers.
enum SQLiteCause {
  static func text(_ error: any Error) -> String {
    guard let error = error as? DatabaseError else { return "\(error)" }
    switch error.resultCode.primaryResultCode {
    case .SQLITE_FULL: return "its disk is full; make room there"
    case .SQLITE_READONLY, .SQLITE_PERM, .SQLITE_AUTH: return "this account may not write it; check its owner and permissions"
    case .SQLITE_CANTOPEN: return "the file, or one beside it, cannot be opened or made; check the directory's owner and permissions"
    case .SQLITE_NOTADB: return "the file is no database; if it is not one of blockfarm's, move it away, and a new one is made"
    case .SQLITE_CORRUPT:
      return "the file is damaged; move it away with those beside it (-wal, -shm), and a new one is made, which knows no earlier request"
    case .SQLITE_BUSY, .SQLITE_LOCKED: return "another process kept it locked for 10 seconds; try again"
    case .SQLITE_IOERR: return "its disk reports an error (\(error.message ?? "no details")); check the disk"
    default: return error.message ?? "SQLite's error \(error.resultCode.rawValue)"
    }
  }
}
