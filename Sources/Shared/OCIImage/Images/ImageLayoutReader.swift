import BuildModel
import CanonicalJSON
import FoundationEssentials

import struct Crypto.SHA256

/// Reads OCI image layouts that anybody wrote (image-spec image-layout.md); an index within the index is followed once.
package enum ImageLayoutReader {
  private struct Entry: Decodable {
    var mediaType: String
    var digest: Digest
    var size: Int64
    var annotations: [String: String]?
  }
  private struct Index: Decodable { var manifests: [Entry] }
  private struct Manifest: Decodable {
    var config: Entry
    var layers: [Entry]
  }
  private struct Version: Decodable { var imageLayoutVersion: String }

  private static let indexes = [MediaType.ociIndex, MediaType.dockerList]
  private static let manifests = [MediaType.ociManifest, MediaType.dockerManifest]
  private static let plain = [MediaType.ociLayer, MediaType.dockerLayer]
  private static let gzip = [MediaType.ociGzipLayer, MediaType.dockerGzipLayer]

  /// The images of the layout in the index's order. Manifests and configs are checked against their digests, layers are not read.
  package static func images(in directory: String) throws(OCIImageError) -> [StoredImage] {
    let version: Version = try decode(try whole(directory + "/oci-layout", limit: 4096), directory + "/oci-layout")
    guard version.imageLayoutVersion.hasPrefix("1.") else {
      throw .malformed(what: directory, reason: "is an image layout of version '\(version.imageLayoutVersion.prefix(40))'")
    }
    let index: Index = try decode(try whole(directory + "/index.json", limit: StoredImage.documentLimit), directory + "/index.json")
    var images: [StoredImage] = []
    for entry in index.manifests {
      if indexes.contains(entry.mediaType) {
        let inner: Index = try decode(try blob(entry, in: directory), path(entry.digest, in: directory))
        for next in inner.manifests { images.append(try image(next, named: entry.annotations ?? [:], in: directory)) }
      } else {
        images.append(try image(entry, named: entry.annotations ?? [:], in: directory))
      }
      guard images.count <= 1000 else { throw .malformed(what: directory, reason: "has more than 1000 images") }
    }
    return images
  }

  private static func image(_ entry: Entry, named annotations: [String: String], in directory: String) throws(OCIImageError) -> StoredImage {
    let what = path(entry.digest, in: directory)
    guard manifests.contains(entry.mediaType) else {
      throw .malformed(what: what, reason: "is no image manifest but '\(entry.mediaType.prefix(100))'")
    }
    let manifest: Manifest = try decode(try blob(entry, in: directory), what)
    guard manifest.layers.count <= StoredImage.layerLimit else { throw .malformed(what: what, reason: "has \(manifest.layers.count) layers") }
    var layers: [StoredImage.Layer] = []
    for layer in manifest.layers {
      guard plain.contains(layer.mediaType) || gzip.contains(layer.mediaType) else {
        throw .malformed(what: what, reason: "has a layer of type '\(layer.mediaType.prefix(100))'; known are plain tar and gzip")
      }
      let path = path(layer.digest, in: directory)
      let size = try InputFile(path: path).size
      guard size == layer.size else { throw .malformed(what: path, reason: "has \(size) bytes instead of \(layer.size)") }
      layers.append(
        .init(diffID: layer.digest, digest: layer.digest, size: size, isGzip: gzip.contains(layer.mediaType), path: path, offset: 0))
    }
    return try StoredImage(
      names: annotations["org.opencontainers.image.ref.name"].map { [$0] } ?? [],
      manifest: Descriptor(mediaType: entry.mediaType, blob: BlobDescriptor(digest: entry.digest, size: entry.size)),
      configBytes: try blob(manifest.config, in: directory), layers: layers, what: what)
  }

  private static func path(_ digest: Digest, in directory: String) -> String { "\(directory)/blobs/sha256/\(digest.hex)" }

  private static func whole(_ path: String, limit: Int) throws(OCIImageError) -> [UInt8] {
    let file = try InputFile(path: path)
    guard file.size <= limit else { throw .malformed(what: path, reason: "has \(file.size) bytes, more than \(limit)") }
    return try file.bytes(at: 0, count: Int(file.size))
  }

  private static func blob(_ entry: Entry, in directory: String) throws(OCIImageError) -> [UInt8] {
    let path = path(entry.digest, in: directory)
    let bytes = try whole(path, limit: StoredImage.documentLimit)
    guard Int64(bytes.count) == entry.size, Digest(bytes: SHA256.hash(data: bytes)) == entry.digest else {
      throw .malformed(what: path, reason: "its content is not \(entry.digest) of \(entry.size) bytes")
    }
    return bytes
  }

  private static func decode<Value: Decodable>(_ bytes: [UInt8], _ path: String) throws(OCIImageError) -> Value {
    do { return try CanonicalJSON.decode(Value.self, from: bytes) } catch { throw .malformed(what: path, reason: "cannot be read: \(error)") }
  }
}
