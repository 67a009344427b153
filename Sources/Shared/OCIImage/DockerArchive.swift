import BlobStore
import BuildModel
import FoundationEssentials
import Glibc

import struct Crypto.SHA256

/// Writes an archive that `docker load` accepts: config, uncompressed layers and manifest.json (Docker image specification v1.2), streamed.
///
/// The bytes depend on the block and `epoch` alone.
package final class DockerArchive {
  private struct Manifest: Codable {
    var Config: String
    var RepoTags: [String]
    var Layers: [String]
  }

  private let descriptor: Int32
  private let path: String
  private let epoch: Int64
  private var position: Int64 = 0

  /// Writes the block's archive; each layer is checked against its diff id on the way. Nothing stays at `path` when it fails.
  package static func write(_ block: BlockResult, from store: BlobStore, epoch: Int64, to path: String) throws {
    let temporary = path + ".new"
    let archive = try DockerArchive(path: temporary, epoch: epoch)
    // Gone already when all went well.
    defer { unlink(temporary) }
    let config = block.config.digest.hex + ".json"
    let layers = block.layers.map { $0.diffID.hex + "/layer.tar" }
    try archive.add(config, try store.read(block.config.digest))
    for (name, layer) in zip(layers, block.layers) { try archive.add(name, layer: layer, from: store) }
    try archive.add("manifest.json", try WorkerProtocol.encode([Manifest(Config: config, RepoTags: [block.reference], Layers: layers)]))
    try archive.emit([UInt8](repeating: 0, count: 2 * TarHeader.blockSize))
    guard rename(temporary, path) == 0 else { throw OCIImageError.system(operation: "rename", path: path, errno: errno) }
  }

  private init(path: String, epoch: Int64) throws(OCIImageError) {
    self.path = path
    self.epoch = epoch
    descriptor = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw .system(operation: "create", path: path, errno: errno) }
  }

  deinit { close(descriptor) }

  private func add(_ name: String, _ bytes: [UInt8]) throws {
    try emit(header(name, size: Int64(bytes.count)))
    try emit(bytes)
    try emit([UInt8](repeating: 0, count: TarHeader.padding(after: Int64(bytes.count))))
  }

  /// The size of the tar is known at its end, so the header is written again then.
  private func add(_ name: String, layer: BlockResult.Layer, from store: BlobStore) throws {
    let start = position
    try emit(header(name, size: 0))
    var hash = SHA256()
    var size: Int64 = 0
    try GzipMembers.read(store.path(layer.blob.digest)) {
      hash.update(bufferPointer: $0)
      size += Int64($0.count)
      try emit($0)
    }
    guard Digest(bytes: hash.finalize()) == layer.diffID else {
      throw OCIImageError.malformed(what: "layer \(layer.blob.digest)", reason: "does not hold \(layer.diffID)")
    }
    guard size <= 0o77777777777 else { throw OCIImageError.malformed(what: "layer \(layer.blob.digest)", reason: "is larger than 8 GiB") }
    try emit([UInt8](repeating: 0, count: TarHeader.padding(after: size)))
    let block = try header(name, size: size)
    guard pwrite(descriptor, block, block.count, off_t(start)) == block.count else {
      throw OCIImageError.system(operation: "write", path: path, errno: errno)
    }
  }

  private func header(_ name: String, size: Int64) throws(OCIImageError) -> [UInt8] {
    try TarHeader.blocks(for: TarEntry(path: Array(name.utf8), kind: .file(size: size), mode: 0o644, uid: 0, gid: 0, mtime: epoch))
  }

  private func emit(_ bytes: [UInt8]) throws { try bytes.withUnsafeBytes { try emit($0) } }

  private func emit(_ bytes: UnsafeRawBufferPointer) throws {
    var rest = bytes
    while !rest.isEmpty {
      let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw OCIImageError.system(operation: "write", path: path, errno: errno) }
      rest = UnsafeRawBufferPointer(rebasing: rest[count...])
    }
    position += Int64(bytes.count)
  }
}
