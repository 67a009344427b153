import ArgumentParser
import Attempt
import BuildModel
import FoundationEssentials
import Glibc
import Processes

/// Follows an attempt.
struct Attach: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Print an attempt's events and log until its outcome, one JSON object a line.")
  @Argument var attempt: AttemptID
  @Option(help: "The first event wanted.") var from: Int = 1
  @Option(help: "The first byte of the log wanted.") var logFrom: Int64 = 0
  @OptionGroup var location: RootOption

  private static let heartbeatSeconds = 10.0

  func run() throws {
    try StandardOutput.begin()
    let directory = AttemptDirectory(root: try location.resolve(), id: attempt)
    guard directory.isKnown else { throw WorkerExit.unknown(attempt) }
    guard from >= 1, logFrom >= 0 else { throw WorkerExit.usage("--from counts from 1, --log-from from 0") }
    let watch = DirectoryWatch(directory.path)
    var journal = JournalReader(path: directory.journalPath)
    var log = LogReader(path: directory.consolePath, offset: logFrom)
    var lastLine = MonotonicClock.now
    var lastSettled = -Double.infinity
    while true {
      // The journal is read before the log and written after it: all that was logged before an event precedes it.
      let events = try journal.read()
      while let line = try log.next() {
        try StandardOutput.line(line)
        lastLine = MonotonicClock.now
      }
      for event in events {
        if event.sequence >= from {
          try StandardOutput.line(AttachLine.event(event))
          lastLine = MonotonicClock.now
        }
        if case .outcome = event.kind { return }
      }
      if !events.isEmpty { continue }
      let now = MonotonicClock.now
      if now - lastSettled >= 1 {
        lastSettled = now
        // A runner that is gone is given its outcome here, which the next round reads.
        if case .ended = try directory.settle() { if !AttemptLock.isHeld(directory.lockPath) { continue } }
      }
      if now - lastLine >= Self.heartbeatSeconds {
        try StandardOutput.line(AttachLine.heartbeat(.now))
        lastLine = now
      }
      try watch.wait(seconds: min(1, Self.heartbeatSeconds - (now - lastLine)))
    }
  }
}

/// Reads a growing log in pieces.
struct LogReader {
  private static let piece = 256 << 10
  let path: String
  private(set) var offset: Int64

  init(path: String, offset: Int64) {
    self.path = path
    self.offset = offset
  }

  /// The next piece of at most 256 KiB, cut after a line's end where there is one; nil when there is no more for now.
  mutating func next() throws -> AttachLine? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: Self.piece)
    let count = pread(descriptor, &bytes, Self.piece, off_t(offset))
    guard count > 0 else { return nil }
    var end = count
    if count == Self.piece, let newline = bytes.lastIndex(of: UInt8(ascii: "\n")) { end = newline + 1 }
    defer { offset += Int64(end) }
    return .log(offset: offset, next: offset + Int64(end), text: String(decoding: bytes[..<end], as: UTF8.self))
  }
}
