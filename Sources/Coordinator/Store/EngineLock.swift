import BuildModel
import FoundationEssentials
import Glibc

/// Held by the one engine of a state directory for as long as it lives; the kernel releases it when the process dies.
///
/// It is an open file description lock (fcntl(2), F_OFD_SETLK), which others can ask about without taking it: whoever only looks gets in nobody's way.
package final class EngineLock {
  private let descriptor: Int32
  private let path: String

  /// nil when another process holds it.
  package init?(directory: String) throws(StoreError) {
    let path = Self.path(in: directory)
    let descriptor = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw .open(path: path, reason: String(cString: strerror(errno))) }
    var whole = Self.wholeFile
    guard fcntl(descriptor, Self.setLock, &whole) == 0 else {
      let cause = errno
      close(descriptor)
      if cause == EAGAIN || cause == EACCES { return nil }
      throw .open(path: path, reason: String(cString: strerror(cause)))
    }
    self.descriptor = descriptor
    self.path = path
    try note(EngineOwner(pid: getpid(), bootID: EngineOwner.currentBootID, request: nil))
  }

  deinit { close(descriptor) }

  /// Notes which request the engine works on, for those who ask.
  package func note(request: RequestID) throws(StoreError) {
    try note(EngineOwner(pid: getpid(), bootID: EngineOwner.currentBootID, request: request))
  }

  private func note(_ owner: EngineOwner) throws(StoreError) {
    let line = Array(owner.line.utf8)
    guard ftruncate(descriptor, 0) == 0, pwrite(descriptor, line, line.count, 0) == line.count else {
      throw .open(path: path, reason: String(cString: strerror(errno)))
    }
  }

  /// Who holds the lock of a state directory, or held it last.
  package static func standing(in directory: String) throws(StoreError) -> EngineStanding {
    let path = path(in: directory)
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      if errno == ENOENT { return EngineStanding(isAlive: false, owner: nil) }
      throw .open(path: path, reason: String(cString: strerror(errno)))
    }
    defer { close(descriptor) }
    var held = wholeFile
    guard fcntl(descriptor, getLock, &held) == 0 else { throw .open(path: path, reason: String(cString: strerror(errno))) }
    var bytes = [UInt8](repeating: 0, count: 512)
    let count = pread(descriptor, &bytes, bytes.count, 0)
    let owner = EngineOwner(line: String(decoding: bytes.prefix(max(0, count)), as: UTF8.self))
    return EngineStanding(isAlive: held.l_type != Int16(F_UNLCK), owner: owner)
  }

  /// F_OFD_GETLK and F_OFD_SETLK of linux/fcntl.h, which Glibc shows only to programs that define _GNU_SOURCE.
  private static let (getLock, setLock) = (Int32(36), Int32(37))

  private static func path(in directory: String) -> String { directory + "/engine.lock" }

  private static var wholeFile: flock {
    var lock = flock()
    lock.l_type = Int16(F_WRLCK)
    lock.l_whence = Int16(SEEK_SET)
    return lock
  }
}

/// Whether an engine works in a state directory now.
package struct EngineStanding: Hashable, Sendable {
  package var isAlive: Bool
  /// The engine that noted itself last: the living one, or one that has ended or died.
  package var owner: EngineOwner?

  package init(isAlive: Bool, owner: EngineOwner?) {
    self.isAlive = isAlive
    self.owner = owner
  }
}

/// A process that was the engine of a state directory.
package struct EngineOwner: Hashable, Sendable {
  package var pid: Int32
  /// The kernel's id of the boot in which it was started.
  package var bootID: String
  /// The request that it works on; nil before it has one.
  package var request: RequestID?

  package init(pid: Int32, bootID: String, request: RequestID?) {
    self.pid = pid
    self.bootID = bootID
    self.request = request
  }

  /// Whether this machine has been started again since.
  package var isOfEarlierBoot: Bool { bootID != Self.currentBootID }

  var line: String { "\(pid) \(bootID) \(request?.text ?? "-")\n" }

  init?(line: String) {
    let words = line.split { $0 == " " || $0 == "\n" }
    guard words.count == 3, let pid = Int32(words[0]), pid > 0 else { return nil }
    self.pid = pid
    bootID = String(words[1])
    request = RequestID(String(words[2]))
  }

  package static var currentBootID: String {
    let bytes = (try? Data(contentsOf: URL(filePath: "/proc/sys/kernel/random/boot_id"))) ?? Data()
    return bytes.isEmpty ? "unknown" : String(decoding: bytes.filter { $0 > 32 }.prefix(64), as: UTF8.self)
  }
}
