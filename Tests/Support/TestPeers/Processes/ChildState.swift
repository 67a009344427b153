import Foundation

/// What is known of a child so far. Several threads change it and wait for changes.
///
/// `@unchecked Sendable`: everything that changes is touched with `changed` locked.
final class ChildState: @unchecked Sendable {
  private let changed = NSCondition()
  private var streams = [Data(), Data()]
  private var isCut = false
  private var areStreamsClosed = false
  private var status: Int32?
  private var pid: pid_t?
  /// More bytes than this of one stream are not kept.
  private let limit: Int

  init(limit: Int) { self.limit = limit }

  /// Changes it and wakes all who wait.
  private func change<Value>(_ body: () -> Value) -> Value {
    changed.lock()
    defer {
      changed.broadcast()
      changed.unlock()
    }
    return body()
  }

  /// Waits until `body` gives a value; nil when the time is over first.
  func wait<Value>(seconds: Double, _ body: (_ state: Snapshot) -> Value?) -> Value? {
    let end = Date(timeIntervalSinceNow: min(seconds, 1e9))
    changed.lock()
    defer { changed.unlock() }
    while true {
      if let value = body(snapshot) { return value }
      if !changed.wait(until: end) { return body(snapshot) }
    }
  }

  struct Snapshot {
    var output: Data
    var errors: Data
    /// A stream had more than is kept.
    var isCut: Bool
    /// Nothing can come any more.
    var areStreamsClosed: Bool
    /// The exit status, or 128 and the number of the signal; nil while it runs.
    var status: Int32?
  }

  private var snapshot: Snapshot {
    Snapshot(output: streams[0], errors: streams[1], isCut: isCut, areStreamsClosed: areStreamsClosed, status: status)
  }

  var now: Snapshot {
    changed.lock()
    defer { changed.unlock() }
    return snapshot
  }

  func began(_ pid: pid_t) { change { self.pid = pid } }

  func append(_ bytes: Data, to stream: Int) {
    change {
      let room = limit - streams[stream].count
      streams[stream] += bytes.prefix(room)
      if bytes.count > room { isCut = true }
    }
  }

  func closed() { change { areStreamsClosed = true } }

  /// Takes the status of a child that has ended. Until then its number is its own.
  func reap() {
    change {
      guard let pid else { return }
      var code: Int32 = 0
      while waitpid(pid, &code, 0) < 0, errno == EINTR {}
      status = code & 0x7f == 0 ? code >> 8 & 0xff : 128 + code & 0x7f
    }
  }

  /// Sends a signal to the child or its whole group, unless it has been reaped: its number may be another's then.
  func signal(_ number: Int32, group: Bool) {
    change {
      guard let pid, status == nil else { return }
      kill(group ? -pid : pid, number)
    }
  }
}
