import BlobStore
import BuildModel
import CanonicalJSON
import Feed
import FoundationEssentials
import OCIImage

import struct Crypto.SHA256

/// Checks a delivered block against its spec, trusting nothing but the bytes.
///
/// That the layers hold what the packages hold cannot be seen without the packages; that they are layers as they must be is checked entry by entry.
package enum BlockVerification {
  /// Recomputes every digest and compares both manifests, config, labels, platform and packages. Returns the size of each layer's tar.
  package static func verify(_ result: BlockResult, against spec: BlockSpec, in store: BlobStore) throws(BlocksError) -> [Int64] {
    func mismatch(_ what: String, _ expected: String, _ found: String) -> BlocksError {
      .mismatch(block: spec.name, what: what, expected: expected, found: found)
    }
    do {
      guard result.name == spec.name else { throw mismatch("name", spec.name.text, result.name.text) }
      guard result.reference == spec.reference else { throw mismatch("reference", spec.reference, result.reference) }
      guard result.platform == spec.platform else { throw mismatch("platform", "\(spec.platform)", "\(result.platform)") }
      // An image that another builder made has no package list, and may have labels of its own.
      let isOfPackages = spec.origin == .packages
      let listed = isOfPackages ? Set(spec.packages) : []
      let names = result.packages.flatMap(\.listed)
      let delivered = Set(names)
      guard listed == delivered, names.count == delivered.count, Set(result.packages.map(\.name)).count == result.packages.count else {
        throw mismatch("package list", listed.sorted().map(\.text).joined(separator: " "), delivered.sorted().map(\.text).joined(separator: " "))
      }
      let configBytes = try read(result.config, in: store)
      let config = try CanonicalJSON.decode(ImageConfig.self, from: configBytes)
      guard config.platform == spec.platform else { throw mismatch("config platform", "\(spec.platform)", "\(config.platform)") }
      let labels = isOfPackages ? config.config.Labels : config.config.Labels.filter { spec.labels[$0.key] != nil }
      guard labels == spec.labels else { throw mismatch("labels", "\(spec.labels)", "\(config.config.Labels)") }
      guard !isOfPackages || config.config == ImageConfig.Container(Labels: spec.labels) else {
        throw mismatch("config", "labels alone", "what to run")
      }
      guard !result.layers.isEmpty else { throw mismatch("number of layers", "at least one", "none") }
      guard try config.bytes() == configBytes else { throw mismatch("config", "what blockfarm writes", "other or further fields") }
      guard config.rootfs.diff_ids == result.layers.map(\.diffID) else {
        throw mismatch("diff ids", "\(result.layers.map(\.diffID))", "\(config.rootfs.diff_ids)")
      }
      for (flavour, blob) in [(ImageManifest.Flavour.oci, result.manifest), (.docker, result.dockerManifest)] {
        let expected = try ImageManifest(flavour, config: result.config, gzipLayers: result.layers.map(\.blob)).bytes()
        guard try read(blob, in: store) == expected else { throw mismatch("\(flavour) manifest", "the canonical one", "other bytes") }
      }
      guard isOfPackages else { return try result.layers.map { try read($0, in: store, mismatch: mismatch, entry: nil) } }
      let most = spec.layering == .single ? 1 : max(1, Set(result.packages.map(\.architecture)).count)
      guard result.layers.count <= most else { throw mismatch("number of layers", "at most \(most)", "\(result.layers.count)") }
      var audit = LayerAudit(allowsDevices: spec.allowsDevices)
      return try result.layers.map { layer in
        audit.beginLayer()
        return try read(layer, in: store, mismatch: mismatch) { entry in
          if let rule = audit.add(entry) {
            throw mismatch(
              "layer \(layer.blob.digest)", "what blockfarm writes", "'/\(String(decoding: entry.path, as: UTF8.self))', which \(rule)")
          }
        }
      }
    } catch let error as BlocksError {
      throw error
    } catch let error as BlobStoreError {
      throw .store(error)
    } catch let error as FeedError {
      throw .feed(error)
    } catch let error as OCIImageError {
      throw .image(error)
    } catch {
      throw .image(.malformed(what: "block \(spec.name)", reason: "\(error)"))
    }
  }

  private static func read(_ blob: BlobDescriptor, in store: BlobStore) throws -> [UInt8] {
    let bytes = try store.read(blob.digest, limit: 4 << 20)
    var hash = SHA256()
    bytes.withUnsafeBytes { hash.update(bufferPointer: $0) }
    guard Digest(bytes: hash.finalize()) == blob.digest, Int64(bytes.count) == blob.size else {
      throw BlobStoreError.mismatch(expected: blob.digest, found: nil, source: store.path(blob.digest))
    }
    return bytes
  }

  /// Reads a layer to its end, checks its digests and returns the size of its tar. `entry` sees each entry; without it the tar is not looked into.
  private static func read(
    _ layer: BlockResult.Layer, in store: BlobStore, mismatch: (String, String, String) -> BlocksError, entry: ((TarEntry) throws -> Void)?
  ) throws -> Int64 {
    let what = "layer \(layer.blob.digest)"
    guard let size = store.size(layer.blob.digest) else { throw BlobStoreError.notFound(layer.blob.digest) }
    guard size == layer.blob.size else { throw mismatch("size of \(what)", "\(size)", "\(layer.blob.size)") }
    let stored = StoredImage.Layer(layer.blob, at: store.path(layer.blob.digest), diffID: layer.diffID)
    guard try stored.compression() == .gzip else { throw mismatch(what, "gzip", "something else") }
    let bytes = try LayerReader(stored)
    guard let entry else {
      while try bytes.next() != nil {}
      return bytes.count
    }
    var reader = TarReader(bytes, what: what)
    while let member = try reader.next() { try entry(try member.entry(what: what)) }
    guard !reader.hasBytesAfterEnd else { throw mismatch(what, "nothing behind the end of its tar", "other bytes") }
    return bytes.count
  }
}
