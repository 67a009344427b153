import BuildModel
import FoundationEssentials

/// The header of one blob in the byte stream of `blob get` and `blob put`: one JSON line, then exactly `size` raw bytes.
///
/// `{"digest":"sha256:…","size":123}`. A stream is any number of frames and ends with an empty line.
package enum BlobFrame {
  /// A header line is never longer than this many bytes.
  package static let headerLimit = 256

  /// The header line with its newline.
  package static func header(_ blob: BlobDescriptor) throws -> [UInt8] {
    try WorkerProtocol.line(blob)
  }

  /// Ends a stream.
  package static let end: [UInt8] = [UInt8(ascii: "\n")]
}

/// Takes a stream of frames in pieces of any size and writes its blobs into a store. Feed it bytes as they arrive.
package final class BlobFrameReader {
  private let store: BlobStore
  /// nil where any blob is taken.
  private let expected: [Digest: Int64]?
  private var header: [UInt8] = []
  private var current: (writer: BlobWriter, blob: BlobDescriptor, left: Int64)?
  /// What is in the store so far.
  package private(set) var received: [BlobDescriptor] = []
  /// True after the stream's end line.
  package private(set) var isFinished = false

  /// Accepts only the blobs named in `expected`, each with exactly that size.
  package init(store: BlobStore, expected: [BlobDescriptor]) {
    self.store = store
    self.expected = Dictionary(expected.map { ($0.digest, $0.size) }, uniquingKeysWith: { first, _ in first })
  }

  /// Accepts every blob whose content is what its header says.
  package init(store: BlobStore) {
    self.store = store
    expected = nil
  }

  package func feed(_ bytes: [UInt8]) throws(BlobStoreError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      if isFinished { throw .malformedFrame("bytes after the end") }
      if let (writer, blob, left) = current {
        let count = Int(min(left, Int64(rest.count)))
        var failure: BlobStoreError?
        rest.prefix(count).withUnsafeBytes { buffer in
          do throws(BlobStoreError) { try writer.write(buffer) } catch { failure = error }
        }
        if let failure { throw failure }
        rest = rest.dropFirst(count)
        current = (writer, blob, left - Int64(count))
        try endBlobIfWhole()
      } else if let newline = rest.firstIndex(of: UInt8(ascii: "\n")) {
        header.append(contentsOf: rest[..<newline])
        rest = rest[(newline + 1)...]
        try begin()
      } else {
        header.append(contentsOf: rest)
        rest = []
      }
      if header.count > BlobFrame.headerLimit { throw .malformedFrame("header of more than \(BlobFrame.headerLimit) bytes") }
    }
  }

  private func begin() throws(BlobStoreError) {
    defer { header.removeAll(keepingCapacity: true) }
    if header.isEmpty {
      isFinished = true
      return
    }
    let blob: BlobDescriptor
    do { blob = try WorkerProtocol.decode(BlobDescriptor.self, from: header) } catch {
      throw .malformedFrame("header is not a descriptor: \(error)")
    }
    var size = blob.size
    if let expected {
      guard let asked = expected[blob.digest] else { throw .malformedFrame("\(blob.digest) was not asked for") }
      size = asked
    }
    guard size == blob.size, size >= 0 else { throw .malformedFrame("\(blob.digest) has \(Counted(blob.size, "byte")), not \(size)") }
    current = (try BlobWriter(store: store), blob, size)
    try endBlobIfWhole()
  }

  private func endBlobIfWhole() throws(BlobStoreError) {
    guard let (writer, blob, left) = current, left == 0 else { return }
    received.append(try writer.finish(expecting: blob))
    current = nil
  }
}
