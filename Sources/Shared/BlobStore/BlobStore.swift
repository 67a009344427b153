import BuildModel
import FoundationEssentials
import Glibc

import struct Crypto.SHA256

/// A content-addressed store on one file system: `<root>/sha256/<hex>`, files of mode 0444.
///
/// A blob is written under a temporary name in `<root>/ingest`, hashed while it streams, synced and renamed, so that a name in
/// `sha256/` always holds exactly its content. All calls are synchronous; several processes may use one store at once.
package struct BlobStore: Sendable {
  package let root: String

  /// Opens the store, making its directories where they are missing.
  package init(root: String) throws(BlobStoreError) {
    self.init(unmade: root)
    try make()
  }

  /// Names a store that may not exist yet: nothing is in it before ``make()``.
  package init(unmade root: String) { self.root = root }

  /// Makes the store's directories where they are missing.
  package func make() throws(BlobStoreError) {
    for directory in [root, root + "/sha256", root + "/ingest"] {
      if mkdir(directory, 0o755) != 0, errno != EEXIST {
        throw .system(operation: "mkdir", path: directory, errno: errno)
      }
    }
  }

  /// Where the blob lies, whether it is there or not.
  package func path(_ digest: Digest) -> String { root + "/sha256/" + digest.hex }

  /// The size of a blob, or nil when it is not there.
  package func size(_ digest: Digest) -> Int64? {
    var status = stat()
    guard stat(path(digest), &status) == 0 else { return nil }
    return Int64(status.st_size)
  }

  package func has(_ digest: Digest) -> Bool { size(digest) != nil }

  /// Those of the blobs that are not there (or have another size), each once.
  package func missing(_ blobs: [BlobDescriptor]) -> [BlobDescriptor] {
    var seen: Set<Digest> = []
    return blobs.filter { seen.insert($0.digest).inserted && size($0.digest) != $0.size }
  }

  /// Takes over a finished file of the same file system: it is hashed, synced and renamed into the store.
  package func adopt(file: String) throws(BlobStoreError) -> BlobDescriptor {
    var hash = SHA256()
    var size: Int64 = 0
    try FileReader.read(file) {
      hash.update(bufferPointer: $0)
      size += Int64($0.count)
    }
    guard let digest = Digest(bytes: hash.finalize()) else { throw .system(operation: "hash", path: file, errno: EINVAL) }
    let descriptor = open(file, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .system(operation: "open", path: file, errno: errno) }
    defer { close(descriptor) }
    guard fchmod(descriptor, 0o444) == 0, fsync(descriptor) == 0 else { throw .system(operation: "sync", path: file, errno: errno) }
    guard rename(file, path(digest)) == 0 else { throw .system(operation: "rename", path: path(digest), errno: errno) }
    return BlobDescriptor(digest: digest, size: size)
  }

  /// Puts the blob at another path on the same file system as a hard link, else as a copy; replaces what is there.
  package func link(_ digest: Digest, to destination: String) throws(BlobStoreError) {
    // Nearly always nothing is there, and one call is enough: a request lays out hundreds of thousands of files.
    if Glibc.link(path(digest), destination) == 0 { return }
    if errno == ENOENT { throw .system(operation: "link \(digest)", path: destination, errno: ENOENT) }
    let temporary = destination + ".new"
    unlink(temporary)
    if Glibc.link(path(digest), temporary) != 0 {
      let cause = errno
      guard cause == EXDEV || cause == EMLINK || cause == EPERM else {
        throw .system(operation: "link \(digest)", path: destination, errno: cause)
      }
      try FileReader.copy(path(digest), to: temporary)
    }
    guard rename(temporary, destination) == 0 else { throw .system(operation: "rename", path: destination, errno: errno) }
    // rename(2) does nothing when both names are links to one file.
    unlink(temporary)
  }

  /// Makes the names of all blobs that were put so far durable; their contents are already.
  package func syncNames() throws(BlobStoreError) {
    let directory = root + "/sha256"
    let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .system(operation: "open", path: directory, errno: errno) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw .system(operation: "sync", path: directory, errno: errno) }
  }

  /// Reads a small blob whole; refuses one above `limit` bytes.
  package func read(_ digest: Digest, limit: Int = 16 << 20) throws(BlobStoreError) -> [UInt8] {
    guard let size = size(digest) else { throw .notFound(digest) }
    guard size <= limit else { throw .tooLarge(digest, size: size, limit: limit) }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(Int(size))
    try FileReader.read(path(digest)) { bytes.append(contentsOf: $0) }
    return bytes
  }

  /// Hashes the blob again; throws when its content is not what its name says.
  package func verify(_ digest: Digest) throws(BlobStoreError) {
    guard has(digest) else { throw .notFound(digest) }
    var hash = SHA256()
    try FileReader.read(path(digest)) { hash.update(bufferPointer: $0) }
    let found = Digest(bytes: hash.finalize())
    guard found == digest else { throw .mismatch(expected: digest, found: found, source: path(digest)) }
  }

  /// Removes every blob that is not in `keep` and is older than `age` seconds; returns the bytes freed.
  package func collectGarbage(keeping keep: Set<Digest>, olderThan age: Double) throws(BlobStoreError) -> Int64 {
    guard let names = FileReader.names(in: root + "/sha256") else {
      throw .system(operation: "opendir", path: root + "/sha256", errno: errno)
    }
    var freed: Int64 = 0
    let limit = time(nil) - Int(age)
    for name in names {
      guard let digest = Digest(hex: name), !keep.contains(digest) else { continue }
      var status = stat()
      guard stat(path(digest), &status) == 0, status.st_mtim.tv_sec < limit, unlink(path(digest)) == 0 else { continue }
      freed += Int64(status.st_size)
    }
    return freed
  }
}
