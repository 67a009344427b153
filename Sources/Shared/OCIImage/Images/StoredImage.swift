import BlobStore
import BuildModel
import CanonicalJSON
import FoundationEssentials

import struct Crypto.SHA256

/// An image found in a docker-archive or an image layout, whoever made it. Its config's digest was checked; layers are checked when they are read.
package struct StoredImage: Sendable {
  /// What blockfarm needs of an image configuration; others leave out much of it.
  package struct Config: Sendable {
    package var created: String?
    package var platform: Platform
    package var labels: [String: String]
    package var diffIDs: [Digest]
  }

  /// One layer, lowest first in ``StoredImage/layers``.
  package struct Layer: Sendable {
    /// sha256 of the tar, as the config states it.
    package var diffID: Digest
    /// The layer as it is stored: of a layout the blob that the manifest names, of a docker-archive without digest.
    package var digest: Digest?
    package var size: Int64
    package var isGzip: Bool
    var path: String
    var offset: Int64
  }

  /// Tags (docker-archive) or reference names (layout).
  package var names: [String]
  /// Of a layout: the manifest that was read.
  package var manifest: Descriptor?
  /// The very bytes; their sha256 is the image's id.
  package var configBytes: [UInt8]
  package var id: Digest
  package var config: Config
  package var layers: [Layer]

  private struct ForeignConfig: Decodable {
    struct Container: Decodable { var Labels: [String: String]? }
    struct RootFS: Decodable { var diff_ids: [Digest]? }
    var created: String?
    var architecture: String
    var os: String
    var variant: String?
    var config: Container?
    var rootfs: RootFS
  }

  /// No image has more layers: overlay mounts take 128 lower directories (Linux, fs/overlayfs).
  static let layerLimit = 128
  /// Manifests, configs and indexes are never larger.
  static let documentLimit = 4 << 20

  init(names: [String], manifest: Descriptor?, configBytes: [UInt8], layers: [Layer], what: String) throws(OCIImageError) {
    let found: ForeignConfig
    do { found = try CanonicalJSON.decode(ForeignConfig.self, from: configBytes) } catch {
      throw .malformed(what: what, reason: "its image configuration cannot be read: \(error)")
    }
    guard let id = Digest(bytes: SHA256.hash(data: configBytes)) else { throw .compression("no digest") }
    let diffIDs = found.rootfs.diff_ids ?? []
    guard diffIDs.count == layers.count else {
      throw .malformed(what: what, reason: "its configuration has \(diffIDs.count) layers, its manifest \(layers.count)")
    }
    self.names = names
    self.manifest = manifest
    self.configBytes = configBytes
    self.id = id
    config = Config(
      created: found.created, platform: Platform(os: found.os, architecture: found.architecture, variant: found.variant),
      labels: found.config?.Labels ?? [:], diffIDs: diffIDs)
    self.layers = zip(layers, diffIDs).map { layer, diffID in
      var copy = layer
      copy.diffID = diffID
      return copy
    }
  }
}

extension StoredImage.Layer {
  /// Streams the layer's tar in pieces that are valid during the call, and returns its size. What is larger than `limit` is refused;
  /// throws after the last piece when the bytes are not what the manifest and the config name, so nothing may be concluded before it returns.
  @discardableResult
  package func read(limit: Int64 = TarReader.Limits().bytes, body: (UnsafeRawBufferPointer) throws -> Void) throws -> Int64 {
    let file = try InputFile(path: path)
    guard offset >= 0, size >= 0, size <= file.size - offset else { throw OCIImageError.malformed(what: path, reason: "layer \(diffID) is cut off") }
    var stored = SHA256()
    var tar = SHA256()
    var total: Int64 = 0
    func take(_ piece: UnsafeRawBufferPointer) throws {
      total += Int64(piece.count)
      guard total <= limit else { throw OCIImageError.malformed(what: path, reason: "layer \(diffID) is larger than \(limit >> 20) MiB") }
      tar.update(bufferPointer: piece)
      try body(piece)
    }
    if isGzip {
      let inflater = try GzipInflater(what: path)
      try file.read(offset..<offset + size) { piece in
        if digest != nil { stored.update(bufferPointer: piece) }
        try inflater.feed(piece, body: take)
      }
      try inflater.finish()
    } else {
      try file.read(offset..<offset + size, body: take)
      stored = tar
    }
    if let digest, Digest(bytes: stored.finalize()) != digest {
      throw OCIImageError.malformed(what: path, reason: "its content is not \(digest)")
    }
    guard Digest(bytes: tar.finalize()) == diffID else { throw OCIImageError.malformed(what: path, reason: "its layer is not \(diffID)") }
    return total
  }

  /// Takes the layer into a store as a gzip blob of ``GzipChunks``, whatever form it has here; the diff id stays. Also returns the tar's size,
  /// which may be at most `limit`.
  package func compress(
    into store: BlobStore, limit: Int64 = TarReader.Limits().bytes
  ) throws -> (layer: BlockResult.Layer, tarSize: Int64) {
    let blob = try BlobWriter(store: store)
    let gzip = GzipChunks(into: blob)
    let tarSize = try read(limit: limit) { try gzip.write($0) }
    try gzip.finish()
    return (BlockResult.Layer(blob: try blob.finish(expecting: nil), diffID: diffID), tarSize)
  }
}
