import BlobStore
import BoundedConcurrency
import BuildModel
import FoundationEssentials

extension WorkerClient {
  /// Those of the blobs that the worker does not have.
  package func missingBlobs(_ blobs: [BlobDescriptor]) async throws -> [BlobDescriptor] {
    if blobs.isEmpty { return [] }
    let missing = try await ask(["blob", "has"], input: try Self.lines(blobs), for: [BlobDescriptor].self)
    let asked = Set(blobs)
    guard let stranger = missing.first(where: { !asked.contains($0) }) else { return missing }
    throw ExecutorError.malformed(host: hostName, what: "\(stranger.digest) is missing there, but was not asked for")
  }

  /// Takes blobs from the worker that the store does not have. Each is hashed as it streams, and in the store only when it is whole.
  package func fetchBlobs(_ blobs: [BlobDescriptor], into store: BlobStore) async throws -> TransferReport {
    let all = Set(blobs).count
    let wanted = try await BlockingWork.run { store.missing(blobs) }
    if wanted.isEmpty { return TransferReport(sentBlobs: 0, sentBytes: 0, alreadyThere: all) }
    let arguments = ["blob", "get"]
    try await transport.withProcess(command.verb(arguments), limits: ProcessLimits(silence: .seconds(120))) { process in
      if try await process.write(try Self.lines(wanted)) { try await process.closeInput() }
      var reader = AnswerReader(process: process, hostName: hostName)
      try await reader.skipToMarker()
      let receiver = BlobReceiver(store: store, expected: wanted)
      try await receiver.feed(reader.takeRest())
      while let piece = try await process.read() { try await receiver.feed(piece) }
      guard try await receiver.finish() else { throw try await failure(of: process, arguments) }
      let exit = try await process.waitForExit()
      guard exit.isSuccess else { throw failed(arguments, exit) }
    }
    if let blob = try await BlockingWork.run({ store.missing(wanted) }).first {
      throw ExecutorError.malformed(host: hostName, what: "\(blob.digest) did not come")
    }
    return TransferReport(sentBlobs: wanted.count, sentBytes: wanted.reduce(0) { $0.addingSaturated($1.size) }, alreadyThere: all - wanted.count)
  }

  /// Sends blobs from the store that the worker does not have.
  package func putBlobs(_ blobs: [BlobDescriptor], from store: BlobStore) async throws -> TransferReport {
    let wanted = try await missingBlobs(blobs)
    let all = Set(blobs).count
    if wanted.isEmpty { return TransferReport(sentBlobs: 0, sentBytes: 0, alreadyThere: all) }
    let arguments = ["blob", "put"]
    let received = try await transport.withProcess(command.verb(arguments), limits: ProcessLimits(silence: .seconds(120))) { process in
      var takesMore = true
      for blob in wanted where takesMore {
        takesMore = try await process.write(try BlobFrame.header(blob))
        if takesMore { takesMore = try await FileSource(path: store.path(blob.digest)).send(exactly: blob.size, to: process) }
      }
      if takesMore { takesMore = try await process.write(BlobFrame.end) }
      if takesMore { try await process.closeInput() }
      return try await answer(of: process, to: arguments, as: [BlobDescriptor].self)
    }
    guard Set(received) == Set(wanted) else {
      throw ExecutorError.malformed(host: hostName, what: "it confirms other blobs than were sent")
    }
    return TransferReport(sentBlobs: wanted.count, sentBytes: wanted.reduce(0) { $0.addingSaturated($1.size) }, alreadyThere: all - wanted.count)
  }

  /// Puts a git bundle into a mirror, so that the commit is there.
  package func sendSource(mirror: Digest, commit: CommitID, bundlePath: String) async throws {
    struct Answer: Decodable, Sendable {
      let mirror: Digest
      let commit: CommitID
    }
    let arguments = ["source", "put", mirror.description, commit.hex]
    let answer = try await transport.withProcess(command.verb(arguments), limits: ProcessLimits(silence: .seconds(300))) { process in
      if try await FileSource(path: bundlePath).send(exactly: nil, to: process) { try await process.closeInput() }
      return try await self.answer(of: process, to: arguments, as: Answer.self)
    }
    guard answer.mirror == mirror, answer.commit == commit else {
      throw ExecutorError.malformed(host: hostName, what: "it confirms another source than was sent")
    }
  }

  private static func lines(_ blobs: [BlobDescriptor]) throws -> [UInt8] {
    try blobs.flatMap { try WorkerProtocol.line($0) }
  }
}
