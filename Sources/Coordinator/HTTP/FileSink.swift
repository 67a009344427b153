import BlobStore
import BuildModel
import Glibc

import struct Crypto.SHA256

/// A body that becomes a file: written under a temporary name beside it, hashed, synced and renamed.
///
/// Unchecked, because its descriptor, hash and size are plain variables. Safe, because the client calls its sinks one after the other, on the queue of
/// their ``SinkFeed``, and whoever made the sink uses it before and after the download only.
final class FileSink: BodySink, @unchecked Sendable {
  private let path: String
  private let temporary: String
  private var descriptor: Int32 = -1
  private var hash = SHA256()
  private var size: Int64 = 0

  init(path: String) {
    self.path = path
    temporary = path + ".part-\(UInt64.random(in: 0...UInt64.max))"
  }

  deinit { discard() }

  /// Removes what is not finished.
  func discard() {
    guard descriptor >= 0 else { return }
    close(descriptor)
    unlink(temporary)
    descriptor = -1
  }

  func begin(at offset: Int64) throws {
    if descriptor < 0 { descriptor = open(temporary, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0o644) }
    guard descriptor >= 0 else { throw failed("create") }
    if offset == size { return }
    guard offset == 0, ftruncate(descriptor, 0) == 0, lseek(descriptor, 0, SEEK_SET) == 0 else { throw failed("truncate") }
    (hash, size) = (SHA256(), 0)
  }

  func receive(_ bytes: UnsafeRawBufferPointer) throws {
    hash.update(bufferPointer: bytes)
    var rest = bytes
    while !rest.isEmpty {
      let count = write(descriptor, rest.baseAddress, rest.count)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw failed("write") }
      rest = UnsafeRawBufferPointer(rebasing: rest[count...])
    }
    size += Int64(bytes.count)
  }

  func finish(expecting expected: BlobDescriptor?, source: String) throws -> BlobDescriptor {
    guard let digest = Digest(bytes: hash.finalize()) else { throw failed("hash") }
    let found = BlobDescriptor(digest: digest, size: size)
    if let expected, expected != found { throw HTTPError.mismatch(source, expected: expected, found: found) }
    guard fsync(descriptor) == 0 else { throw failed("sync") }
    guard rename(temporary, path) == 0 else { throw failed("rename") }
    close(descriptor)
    descriptor = -1
    return found
  }

  private func failed(_ operation: String) -> HTTPError { .local(operation: operation, path: temporary, errno: errno) }
}

extension HTTPError {
  static func mismatch(_ what: String, expected: BlobDescriptor, found: BlobDescriptor) -> HTTPError {
    .mismatch(what: what, expected: "\(expected.digest) (\(expected.size) bytes)", found: "\(found.digest) (\(found.size) bytes)")
  }
}
