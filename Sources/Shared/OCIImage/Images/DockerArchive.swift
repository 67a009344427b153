import BlobStore
import BuildModel
import CanonicalJSON
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
    if let reason = OutputPath.reasonNotFile(path) { throw OCIImageError.output(path: path, reason: reason) }
    let temporary = path + ".new"
    let archive = try DockerArchive(path: temporary, epoch: epoch)
    // Gone already when all went well.
    defer { unlink(temporary) }
    let config = block.config.digest.hex + ".json"
    let layers = block.layers.map { $0.diffID.hex + "/layer.tar" }
    // Images of others may hold a layer twice, mostly an empty one.
    var written: Set<Digest> = []
    for (name, layer) in zip(layers, block.layers) where written.insert(layer.diffID).inserted { try archive.add(name, layer: layer, from: store) }
    try archive.add(config, try store.read(block.config.digest))
    try archive.add("manifest.json", try CanonicalJSON.encode([Manifest(Config: config, RepoTags: [block.reference], Layers: layers)]))
    try archive.emit([UInt8](repeating: 0, count: 2 * TarHeader.blockSize))
    guard rename(temporary, path) == 0 else { throw OCIImageError.system(operation: "rename", path: path, errno: errno) }
  }

  /// Writes an archive straight from where its layers are made, without compressing anything: the same bytes as ``write(_:from:epoch:to:)``
  /// gives for the block. `config` makes the configuration for the layers' diff ids; its digest, the image's id, is returned.
  package static func write(
    reference: String, epoch: Int64, to path: String, config: ([Digest]) throws -> [UInt8], layers: [(LayerWriter) throws -> Void]
  ) throws -> Digest {
    if let reason = OutputPath.reasonNotFile(path) { throw OCIImageError.output(path: path, reason: reason) }
    let temporary = path + ".new"
    let archive = try DockerArchive(path: temporary, epoch: epoch)
    defer { unlink(temporary) }
    var diffIDs: [Digest] = []
    for body in layers {
      // The layer's name and size are known at its end.
      let start = archive.position
      try archive.emit(archive.header("layer.tar", size: 0))
      let writer = LayerWriter(into: { (bytes) throws(OCIImageError) in try archive.emit(bytes) })
      try body(writer)
      let diffID = try writer.finishTar()
      guard !diffIDs.contains(diffID) else { throw OCIImageError.malformed(what: path, reason: "two of its layers are the same") }
      diffIDs.append(diffID)
      try archive.seal(diffID.hex + "/layer.tar", at: start, size: writer.tarSize)
    }
    let bytes = try config(diffIDs)
    guard let id = Digest(bytes: SHA256.hash(data: bytes)) else { throw OCIImageError.compression("no digest") }
    try archive.add(id.hex + ".json", bytes)
    let manifest = Manifest(Config: id.hex + ".json", RepoTags: [reference], Layers: diffIDs.map { $0.hex + "/layer.tar" })
    try archive.add("manifest.json", try CanonicalJSON.encode([manifest]))
    try archive.emit([UInt8](repeating: 0, count: 2 * TarHeader.blockSize))
    guard rename(temporary, path) == 0 else { throw OCIImageError.system(operation: "rename", path: path, errno: errno) }
    return id
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
    let bytes = try LayerReader(StoredImage.Layer(layer.blob, at: store.path(layer.blob.digest), diffID: layer.diffID))
    while let part = try bytes.next() { try emit(part) }
    try seal(name, at: start, size: bytes.count)
  }

  /// Pads the member that began at `start` and writes its header again, now that name and size are known.
  private func seal(_ name: String, at start: Int64, size: Int64) throws(OCIImageError) {
    guard size <= 0o77777777777 else { throw .malformed(what: name, reason: "it is larger than 8 GiB") }
    try emit([UInt8](repeating: 0, count: TarHeader.padding(after: size)))
    let block = try header(name, size: size)
    guard pwrite(descriptor, block, block.count, off_t(start)) == block.count else {
      throw .system(operation: "write", path: path, errno: errno)
    }
  }

  private func header(_ name: String, size: Int64) throws(OCIImageError) -> [UInt8] {
    try TarHeader.blocks(for: TarEntry(path: Array(name.utf8), kind: .file(size: size), mode: 0o644, uid: 0, gid: 0, mtime: epoch))
  }

  private func emit(_ bytes: [UInt8]) throws(OCIImageError) {
    var failure: OCIImageError?
    bytes.withUnsafeBytes { buffer in
      do throws(OCIImageError) { try emit(buffer) } catch { failure = error }
    }
    if let failure { throw failure }
  }

  private func emit(_ bytes: UnsafeRawBufferPointer) throws(OCIImageError) {
    if let code = FileWriter.write(bytes, to: descriptor) { throw .system(operation: "write", path: path, errno: code) }
    position += Int64(bytes.count)
  }
}
