import Dispatch
import Glibc
import Synchronization

@testable import EventLoop

/// Two connected descriptors of this process, closed with the last reference.
final class Pair: Sendable {
  let reading: Int32
  let writing: Int32

  private init(_ reading: Int32, _ writing: Int32) { (self.reading, self.writing) = (reading, writing) }

  static func pipe() throws -> Pair {
    var ends: [Int32] = [-1, -1]
    guard Glibc.pipe(&ends) == 0 else { throw Missing(what: "a pipe") }
    return Pair(ends[0], ends[1])
  }

  static func sockets() throws -> Pair {
    var ends: [Int32] = [-1, -1]
    guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0 else { throw Missing(what: "a pair of sockets") }
    return Pair(ends[0], ends[1])
  }

  deinit {
    close(reading)
    close(writing)
  }

  func put(_ count: Int = 1) { write(writing, [UInt8](repeating: 7, count: count), count) }

  /// The number of bytes that were taken, at most `limit`.
  func take(_ limit: Int = 1) -> Int {
    var bytes = [UInt8](repeating: 0, count: limit)
    return read(reading, &bytes, limit)
  }
}

/// Something that a test needs and this machine does not have; a failure, never a skip.
struct Missing: Error { let what: String }

/// What happened on a loop, for a test that waits for it.
final class Journal<Entry: Sendable>: Sendable {
  private let entries = Mutex<[Entry]>([])
  private let changed = DispatchSemaphore(value: 0)

  var all: [Entry] { entries.withLock { $0 } }

  func add(_ entry: Entry) {
    entries.withLock { $0.append(entry) }
    changed.signal()
  }

  /// Waits for that many entries in all; fewer come back after ten seconds.
  func wait(for count: Int) -> [Entry] {
    let limit = DispatchTime.now() + 10
    while all.count < count, changed.wait(timeout: limit) == .success {}
    return all
  }
}

extension DescriptorLoop {
  /// Runs a block on the loop's thread and waits for what it returns.
  func run<Value: Sendable>(_ block: @escaping @Sendable () -> Value) async -> Value {
    await withCheckedContinuation { continuation in perform { continuation.resume(returning: block()) } }
  }

  /// How often the loop looked at its descriptors until a timer came.
  func turnsDuring(_ time: Duration) async -> UInt64 {
    await withCheckedContinuation { continuation in
      perform { [self] in
        let first = turn
        set(LoopTimer(), at: .now + time) { continuation.resume(returning: self.turn - first) }
      }
    }
  }

  /// Long enough for everything that is due to have been called.
  func turns(_ count: Int = 5) async { for _ in 0..<count { await nextTurn() } }
}

/// Something whose end is a fact that can be waited for.
final class Marker: Sendable {
  private let gone: @Sendable () -> Void
  init(gone: @escaping @Sendable () -> Void) { self.gone = gone }
  deinit { gone() }
}
