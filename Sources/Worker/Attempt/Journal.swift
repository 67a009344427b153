import BuildModel
import FoundationEssentials
import Glibc

/// The append-only list of an attempt's events, one JSON object a line, numbered from 1 without gaps. One writer at a time: the holder of the lock.
package final class Journal {
  private let descriptor: Int32
  private let path: String
  /// The number of the last event; 0 when there is none.
  package private(set) var lastSequence: Int

  /// Opens the journal for writing and cuts off a last line that a crash left unfinished.
  package init(path: String) throws {
    self.path = path
    var reader = JournalReader(path: path)
    lastSequence = try reader.read().last?.sequence ?? 0
    descriptor = open(path, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw AttemptError.system(operation: "open", path: path, errno: errno) }
    guard ftruncate(descriptor, off_t(reader.offset)) == 0 else {
      throw AttemptError.system(operation: "truncate", path: path, errno: errno)
    }
  }

  deinit { close(descriptor) }

  /// Appends an event; with `durable` it is on the disk when the call returns.
  package func append(_ kind: WorkerEvent.Kind, durable: Bool, time: Timestamp = .now) throws {
    let event = WorkerEvent(sequence: lastSequence + 1, time: time, kind: kind)
    try DurableFile.append(try WorkerProtocol.line(event), to: descriptor, path: path)
    if durable, fsync(descriptor) != 0 { throw AttemptError.system(operation: "sync", path: path, errno: errno) }
    lastSequence += 1
  }
}

/// Reads a journal from its start and then whatever is added to it.
package struct JournalReader {
  private let path: String
  /// Bytes of whole lines read so far.
  package private(set) var offset = 0
  private var lastSequence = 0

  package init(path: String) { self.path = path }

  /// The events added since the last call; an unfinished last line is left for the next one. Throws when the numbers have a gap.
  package mutating func read() throws -> [WorkerEvent] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    if descriptor < 0 {
      if errno == ENOENT { return [] }
      throw AttemptError.system(operation: "open", path: path, errno: errno)
    }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = pread(descriptor, &piece, piece.count, off_t(offset + bytes.count))
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw AttemptError.system(operation: "read", path: path, errno: errno) }
      if count == 0 { break }
      bytes += piece[..<count]
    }
    guard let end = bytes.lastIndex(of: UInt8(ascii: "\n")) else { return [] }
    var events: [WorkerEvent] = []
    for line in bytes[..<end].split(separator: UInt8(ascii: "\n")) {
      let event: WorkerEvent
      do {
        event = try WorkerProtocol.decode(WorkerEvent.self, from: line)
      } catch {
        throw AttemptError.malformed(path: path, reason: "line after event \(lastSequence) is no event: \(error)")
      }
      guard event.sequence == lastSequence + 1 else {
        throw AttemptError.malformed(path: path, reason: "event \(event.sequence) follows event \(lastSequence)")
      }
      lastSequence = event.sequence
      events.append(event)
    }
    offset += end + 1
    return events
  }
}
