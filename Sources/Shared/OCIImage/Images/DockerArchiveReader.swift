import BuildModel

/// Reads what `docker save`, `podman save`, `skopeo copy … docker-archive:` and bitbake's image_docker write: a plain tar with `manifest.json`
/// (Docker image specification v1.2), layers as `<id>/layer.tar`, `<hex>.tar` or, since Docker 25, `blobs/sha256/<hex>`, plain or gzip,
/// repeated ones as links. An OCI archive, which is an image layout in a tar, is read as well.
package enum DockerArchiveReader {
  private struct Entry: Decodable {
    var Config: String
    var RepoTags: [String]?
    var Layers: [String]?
  }

  private static let manifest = "manifest.json"
  private static let imagesLimit = 1000

  /// The images of the archive, in its order. Layers are not read.
  package static func images(in path: String) throws(OCIImageError) -> StoredImages {
    try refuseOthers(path)
    let index = try TarIndex(path: path)
    guard index.has(manifest) else {
      if index.has(LayoutFiles.index) { return try ImageLayoutReader.images(of: .archive(index), at: path) }
      throw .selection("\(path) is no docker-archive: it has no member 'manifest.json'")
    }
    let entries: [Entry]
    let bytes = try index.document(manifest)
    do { entries = try DocumentFault.decode([Entry].self, from: bytes) } catch {
      throw .malformed(what: "\(path): member \(manifest)", reason: error.reason)
    }
    guard (1...imagesLimit).contains(entries.count) else { throw .malformed(what: path, reason: "its manifest.json names \(entries.count) images") }
    var found = StoredImages(place: path)
    for (number, entry) in entries.enumerated() {
      let content: StoredImages.Candidate.Content
      var platform: Platform?
      do throws(OCIImageError) {
        let image = try image(entry, of: index)
        platform = image.config.platform
        content = .image(image)
        if let line = otherName(entry.Config, than: image.id) { found.notes.append(line) }
      } catch {
        content = .damaged(error)
      }
      found.candidates.append(.init(names: entry.RepoTags ?? [], platform: platform, manifest: nil, content: content, entry: number))
    }
    return found
  }

  /// What is clearly no tar is called what it is.
  private static func refuseOthers(_ path: String) throws(OCIImageError) {
    let file = try InputFile(path: path, following: true)
    let first = try file.bytes(at: 0, count: Int(min(file.size, Int64(TarHeaderBlock.size))))
    let compression = LayerCompression(first)
    if let program = compression.unpacker { throw .malformed(what: path, reason: "it is compressed as a whole; unpack it first: \(program)") }
    guard first.count == TarHeaderBlock.size, (try? TarHeaderBlock(first)) != nil else {
      throw .selection("\(path) is no docker-archive: it is not a tar file")
    }
  }

  private static func image(_ entry: Entry, of index: TarIndex) throws(OCIImageError) -> StoredImage {
    let names = entry.Layers ?? []
    guard names.count <= StoredImage.layerLimit else { throw .malformed(what: index.path, reason: "it has an image of \(names.count) layers") }
    var parts: [LayerPart] = []
    for name in names {
      let (offset, size) = try index.file(name)
      parts.append(LayerPart(digest: nil, path: index.path, offset: offset, size: size, followsLinks: true))
    }
    return try StoredImage(
      names: entry.RepoTags ?? [], manifest: nil, configBytes: try index.document(entry.Config), parts: parts, what: index.path)
  }

  /// The config's name is only its place: docker and skopeo do not compare it with the content, and some writers name it otherwise.
  private static func otherName(_ name: String, than id: Digest) -> String? {
    let last = name.split(separator: "/").last.map(String.init) ?? name
    guard let named = Digest(last) ?? Digest(hex: last.hasSuffix(".json") ? String(last.dropLast(5)) : last), named != id else { return nil }
    return "the configuration is called sha256:\(named.short) and is sha256:\(id.short); its name is not used"
  }
}
