import BuildModel
import FoundationEssentials
import Processes

/// Reads a worker verb's standard output: what a login shell prints first, the marker line, then lines.
struct AnswerReader {
  private static let newline = UInt8(ascii: "\n")
  /// How much may come before the marker.
  private static let noiseLimit = 64 << 10
  static let lineLimit = 16 << 20

  let process: any WorkerProcess
  let hostName: String
  private var buffer: [UInt8] = []
  /// Where the unread part of `buffer` begins, and how far it was searched for a newline.
  private var start = 0
  private var searched = 0

  init(process: any WorkerProcess, hostName: String) {
    self.process = process
    self.hostName = hostName
  }

  /// Reads up to the marker line; throws when another version or no worker at all answers.
  mutating func skipToMarker() async throws {
    var noise: [UInt8] = []
    while noise.count <= Self.noiseLimit {
      guard let line = try await nextLine(limit: Self.noiseLimit, mayBeCut: true) else { break }
      // Something without a newline may stand right before it.
      let text = String(decoding: line, as: UTF8.self)
      let words = text.firstRange(of: "BLOCKFARM-WORKER ").map { text[$0.lowerBound...] } ?? ""
      if let version = WorkerProtocol.version(inMarker: words) {
        guard version == WorkerProtocol.version else {
          throw ExecutorError.protocolMismatch(host: hostName, found: version, expected: WorkerProtocol.version)
        }
        return
      }
      noise += line + [Self.newline]
    }
    let shown = OutputTail.printable(noise.prefix(300))
    guard noise.count <= Self.noiseLimit else {
      throw ExecutorError.notAWorker(host: hostName, output: shown, standardError: "no marker in the first 64 KiB")
    }
    let exit = try await process.waitForExit()
    throw ExecutorError.notAWorker(
      host: hostName, output: shown, standardError: exit.isSuccess ? exit.standardError : "\(exit.standardError) (it \(exit.reason))")
  }

  /// The next line without its newline; nil at the end of the output.
  mutating func line() async throws -> [UInt8]? {
    try await nextLine(limit: Self.lineLimit, mayBeCut: false)
  }

  private mutating func nextLine(limit: Int, mayBeCut: Bool) async throws -> [UInt8]? {
    while true {
      if let end = buffer[searched...].firstIndex(of: Self.newline) {
        defer {
          start = end + 1
          searched = start
        }
        return Array(buffer[start..<end])
      }
      searched = buffer.count
      if buffer.count - start > limit {
        guard mayBeCut else { throw ExecutorError.malformed(host: hostName, what: "a line of more than \(limit) bytes") }
        return takeRest()
      }
      buffer.removeFirst(start)
      (start, searched) = (0, buffer.count)
      guard let piece = try await process.read() else {
        if buffer.isEmpty { return nil }
        guard mayBeCut else { throw ExecutorError.unreachable(host: hostName, reason: "its answer is cut off in the middle of a line") }
        return takeRest()
      }
      buffer.append(contentsOf: piece)
    }
  }

  /// What was read and not yet taken; for answers that go on with raw bytes.
  mutating func takeRest() -> [UInt8] {
    defer {
      buffer = []
      (start, searched) = (0, 0)
    }
    return Array(buffer[start...])
  }

  /// Decodes one line as a JSON document.
  func decode<Value: Decodable>(_ type: Value.Type, _ line: [UInt8]) throws -> Value {
    do { return try WorkerProtocol.decode(type, from: line) } catch {
      throw ExecutorError.malformed(host: hostName, what: "no \(type) (\(error)): \(OutputTail.printable(line.prefix(200)))")
    }
  }
}
