import BuildModel
import CanonicalJSON
import FoundationEssentials

/// Reads what `docker save`, `podman save`, `skopeo copy … docker-archive:` and bitbake's image_docker write: a plain tar with `manifest.json`
/// (Docker image specification v1.2), layers as `<id>/layer.tar`, `<hex>.tar` or, since Docker 25, `blobs/sha256/<hex>`, plain or gzip,
/// repeated ones as links.
package enum DockerArchiveReader {
  private struct Entry: Decodable {
    var Config: String
    var RepoTags: [String]?
    var Layers: [String]
  }

  /// The images of the archive, in its order. Layers are not read.
  package static func images(in path: String) throws(OCIImageError) -> [StoredImage] {
    let file = try InputFile(path: path)
    if file.size > 2, try file.bytes(at: 0, count: 2) == [0x1f, 0x8b] {
      throw .malformed(what: path, reason: "is compressed as a whole; unpack it first: gunzip")
    }
    let index = try TarIndex(path: path)
    let entries: [Entry]
    let bytes = try document("manifest.json", of: index, in: file)
    do { entries = try CanonicalJSON.decode([Entry].self, from: bytes) } catch {
      throw .malformed(what: path, reason: "its manifest.json cannot be read: \(error)")
    }
    guard (1...1000).contains(entries.count) else { throw .malformed(what: path, reason: "its manifest.json names \(entries.count) images") }
    var images: [StoredImage] = []
    for entry in entries {
      guard entry.Layers.count <= StoredImage.layerLimit else { throw .malformed(what: path, reason: "an image of \(entry.Layers.count) layers") }
      let config = try document(entry.Config, of: index, in: file)
      var layers: [StoredImage.Layer] = []
      for name in entry.Layers {
        let (offset, size) = try index.file(name)
        let isGzip = size > 2 ? try file.bytes(at: offset, count: 2) == [0x1f, 0x8b] : false
        layers.append(.init(diffID: placeholder, digest: nil, size: size, isGzip: isGzip, path: path, offset: offset))
      }
      let image = try StoredImage(names: entry.RepoTags ?? [], manifest: nil, configBytes: config, layers: layers, what: path)
      try check(entry.Config, is: image.id, in: path)
      images.append(image)
    }
    return images
  }

  /// Set for good by ``StoredImage``, from the config.
  private static let placeholder = Digest(hex: String(repeating: "0", count: 64)).unsafelyUnwrapped

  /// Where the config's name is a digest it must be its own.
  private static func check(_ name: String, is id: Digest, in path: String) throws(OCIImageError) {
    let last = name.split(separator: "/").last.map(String.init) ?? name
    guard let named = Digest(hex: last.hasSuffix(".json") ? String(last.dropLast(5)) : last) else { return }
    guard named == id else { throw .malformed(what: path, reason: "the content of '\(name)' is \(id)") }
  }

  private static func document(_ name: String, of index: TarIndex, in file: InputFile) throws(OCIImageError) -> [UInt8] {
    let (offset, size) = try index.file(name)
    guard size <= StoredImage.documentLimit else { throw .malformed(what: file.path, reason: "'\(name)' has \(size) bytes") }
    return try file.bytes(at: offset, count: Int(size))
  }
}
