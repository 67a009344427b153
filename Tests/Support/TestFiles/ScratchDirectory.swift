import FoundationEssentials
import Glibc
import Synchronization

/// A directory of a test's own, which is removed with the last reference; ``withScratchDirectory(_:)`` removes one at the end of a closure.
///
/// Its path is short, because the path of a socket must not have more than 107 bytes. No part of it is a link, and every account may enter it.
package final class ScratchDirectory: Sendable {
  package let path: String

  package init() throws {
    let place = FileManager.default.temporaryDirectory.resolvingSymlinksInPath().path
    path = "\(place)/blockfarm-test-\(UUID().uuidString.prefix(8))"
    // Without intermediate directories, one that is there already is an error.
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Writes a file with these permissions, and the directories above it; gives its path.
  @discardableResult
  package func write(_ text: String, to name: String, mode: Int = 0o644) throws -> String {
    let file = path + "/" + name
    try TestFiles.write(Array(text.utf8), to: file)
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file)
    return file
  }

  /// Makes a directory in it; gives its path.
  package func makeDirectory(_ name: String) throws -> String {
    try FileManager.default.createDirectory(atPath: path + "/" + name, withIntermediateDirectories: true)
    return path + "/" + name
  }

  private static let kept = Mutex<[ScratchDirectory]>([])

  /// One that stays until the test program ends, for what several tests share.
  package static func untilExit() throws -> ScratchDirectory {
    let made = try ScratchDirectory()
    kept.withLock { all in
      if all.isEmpty { atexit { ScratchDirectory.kept.withLock { $0 = [] } } }
      all.append(made)
    }
    return made
  }
}

/// Runs `body` with the path of a new directory, and removes the directory afterwards.
package func withScratchDirectory<Value>(_ body: (String) throws -> Value) throws -> Value {
  let scratch = try ScratchDirectory()
  return try withExtendedLifetime(scratch) { try body(scratch.path) }
}

/// Runs `body` with the path of a new directory, and removes the directory afterwards.
package func withScratchDirectory<Value>(_ body: (String) async throws -> Value) async throws -> Value {
  let scratch = try ScratchDirectory()
  defer { withExtendedLifetime(scratch) {} }
  return try await body(scratch.path)
}
