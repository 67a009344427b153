import BuildModel
import FoundationEssentials
import Glibc

import struct Crypto.SHA256

/// Streams one blob into the store. Unfinished writers leave nothing in `sha256/`; their temporary file goes with them.
package final class BlobWriter {
  private let store: BlobStore
  private let temporary: String
  private var descriptor: Int32
  private var hash = SHA256()
  private var output: SparseOutput
  /// Bytes written so far.
  package var size: Int64 { output.size }

  package init(store: BlobStore) throws(BlobStoreError) {
    self.store = store
    temporary = "\(store.root)/ingest/\(getpid())-\(UInt64.random(in: 0...UInt64.max))"
    descriptor = open(temporary, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw .system(operation: "create", path: temporary, errno: errno) }
    output = SparseOutput(descriptor: descriptor, path: temporary)
  }

  deinit {
    if descriptor >= 0 {
      close(descriptor)
      unlink(temporary)
    }
  }

  package func write(_ bytes: [UInt8]) throws(BlobStoreError) {
    var failure: BlobStoreError?
    bytes.withUnsafeBytes { buffer in
      do throws(BlobStoreError) { try write(buffer) } catch { failure = error }
    }
    if let failure { throw failure }
  }

  package func write(_ bytes: UnsafeRawBufferPointer) throws(BlobStoreError) {
    hash.update(bufferPointer: bytes)
    try output.append(bytes)
  }

  private func failed(_ operation: String) -> BlobStoreError {
    .system(operation: operation, path: temporary, errno: errno)
  }

  /// Syncs the blob and moves it into place. With `expecting`, other content or another size is refused and nothing stays.
  package func finish(expecting expected: BlobDescriptor?) throws(BlobStoreError) -> BlobDescriptor {
    guard let digest = Digest(bytes: hash.finalize()) else { throw .system(operation: "hash", path: temporary, errno: EINVAL) }
    if let expected, expected.digest != digest || expected.size != size {
      throw .mismatch(expected: expected.digest, found: digest, source: "\(size) of \(Counted(expected.size, "byte"))")
    }
    try output.finish()
    guard fchmod(descriptor, 0o444) == 0 else { throw failed("chmod") }
    guard fsync(descriptor) == 0 else { throw failed("sync") }
    guard rename(temporary, store.path(digest)) == 0 else { throw failed("rename") }
    close(descriptor)
    descriptor = -1
    return BlobDescriptor(digest: digest, size: size)
  }
}

extension BlobStore {
  /// Takes in bytes that are in memory.
  @discardableResult
  package func put(_ bytes: some Sequence<UInt8>) throws(BlobStoreError) -> BlobDescriptor {
    let writer = try BlobWriter(store: self)
    try writer.write(Array(bytes))
    return try writer.finish(expecting: nil)
  }

  /// Copies a file in, keeping its holes.
  package func put(file: String) throws(BlobStoreError) -> BlobDescriptor {
    let writer = try BlobWriter(store: self)
    try FileReader.read(file) { (chunk: UnsafeRawBufferPointer) throws(BlobStoreError) in try writer.write(chunk) }
    return try writer.finish(expecting: nil)
  }
}
