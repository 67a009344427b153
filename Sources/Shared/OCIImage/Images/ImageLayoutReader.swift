import BuildModel

import struct Crypto.SHA256

/// Reads OCI image layouts that anybody wrote (image-spec image-layout.md), with what stands in them beside images.
///
/// Manifests and configs are checked against their digests, layers are not read. What is wrong with one image is known of that image alone.
package enum ImageLayoutReader {
  package static func images(in directory: String) throws(OCIImageError) -> StoredImages {
    let files = LayoutFiles.directory(directory)
    guard files.has(LayoutFiles.index) else {
      throw .selection(
        "\(directory) is no OCI image layout: it has no index.json; name the directory that holds index.json and blobs/, or a docker-archive")
    }
    return try images(of: files, at: directory)
  }

  static func images(of files: LayoutFiles, at place: String) throws(OCIImageError) -> StoredImages {
    try checkVersion(files)
    let index = try document(try files.document(LayoutFiles.index), files.label(LayoutFiles.index))
    guard let entries = index.manifests else { throw .malformed(what: files.label(LayoutFiles.index), reason: "it has no 'manifests'") }
    var reading = LayoutReading(files: files, found: StoredImages(place: place))
    for (number, entry) in entries.enumerated() { try reading.take(entry, number: number) }
    return reading.found
  }

  /// Not all programs write the file, and none needs it.
  private static func checkVersion(_ files: LayoutFiles) throws(OCIImageError) {
    struct Version: Decodable { var imageLayoutVersion: String }
    guard files.has(LayoutFiles.version) else { return }
    let label = files.label(LayoutFiles.version)
    let version: Version
    let bytes = try files.document(LayoutFiles.version, limit: 4096)
    do { version = try DocumentFault.decode(Version.self, from: bytes) } catch { throw .malformed(what: label, reason: error.reason) }
    guard version.imageLayoutVersion.hasPrefix("1.") else {
      throw .malformed(what: label, reason: "it is of version \(Printable.quoted(version.imageLayoutVersion)) instead of 1")
    }
  }

  static func document(_ bytes: [UInt8], _ label: String) throws(OCIImageError) -> ManifestDocument {
    do { return try ManifestDocument(bytes) } catch { throw .malformed(what: label, reason: error.reason) }
  }
}

/// One pass over a layout's indexes.
struct LayoutReading {
  private static let nameKey = "org.opencontainers.image.ref.name"
  private static let deepest = 4
  private static let entriesLimit = 1000

  let files: LayoutFiles
  var found: StoredImages
  private var entries = 0

  init(files: LayoutFiles, found: StoredImages) {
    self.files = files
    self.found = found
  }

  /// `outer` is what the index around the entry said of it.
  mutating func take(
    _ entry: ManifestDocument.Entry, number: Int, outer: (name: String?, platform: Platform?) = (nil, nil), depth: Int = 0
  ) throws(OCIImageError) {
    entries += 1
    guard entries <= Self.entriesLimit else { throw .malformed(what: found.place, reason: "it has more than \(Self.entriesLimit) entries") }
    let name = entry.annotations[Self.nameKey] ?? outer.name
    let label = "sha256:\(entry.digest?.short ?? "")"
    if entry.isAttestation { return omit("\(label) is an attestation") }
    guard let digest = entry.digest else { return omit("an entry with the digest \(Printable.quoted(entry.digestText)), which is not a sha256") }
    if let type = entry.mediaType, !MediaType.manifests.contains(type), !MediaType.indexes.contains(type) {
      return omit("\(label) is \(Printable.quoted(type)), not an image")
    }
    var platform = entry.platform ?? outer.platform
    let names = name.map { [$0] } ?? []
    let content: StoredImages.Candidate.Content
    do throws(OCIImageError) {
      if files.has(Self.path(digest)) {
        let (document, type) = try manifest(entry, digest)
        if let inner = document.manifests {
          guard depth < Self.deepest else { throw .malformed(what: files.label(Self.path(digest)), reason: "it is an index within too many indexes") }
          for next in inner { try take(next, number: number, outer: (name, platform), depth: depth + 1) }
          return
        }
        if let reason = Self.reasonNotImage(document) { return omit("\(label) \(reason)") }
        content = try self.content(document, type, digest, size: entry.size, names: names)
        if case .image(let image) = content { platform = platform ?? image.config.platform }
      } else {
        content = .absent("its manifest is not in the layout")
      }
    } catch {
      content = .damaged(error)
    }
    found.candidates.append(.init(names: names, platform: platform, manifest: digest, content: content, entry: number))
  }

  private mutating func omit(_ line: String) { found.notes.append("left out: \(line)") }

  static func path(_ digest: Digest) -> String { "blobs/sha256/\(digest.hex)" }

  /// A blob whose digest, and size where it is said, were found right.
  private func blob(_ digest: Digest, size: Int64?) throws(OCIImageError) -> [UInt8] {
    let name = Self.path(digest)
    let bytes = try files.document(name)
    guard Digest(bytes: SHA256.hash(data: bytes)) == digest, size == nil || size == Int64(bytes.count) else {
      throw .malformed(what: files.label(name), reason: "its content is not \(digest)\(size.map { " of \($0) bytes" } ?? "")")
    }
    return bytes
  }

  /// The document, and the kind that it is: what its own `mediaType` says must be what its descriptor says.
  private func manifest(_ entry: ManifestDocument.Entry, _ digest: Digest) throws(OCIImageError) -> (ManifestDocument, String) {
    let label = files.label(Self.path(digest))
    let document = try ImageLayoutReader.document(try blob(digest, size: entry.size), label)
    if let said = entry.mediaType, let own = document.mediaType, said != own {
      throw .malformed(what: label, reason: "it calls itself \(Printable.quoted(own)), its index calls it \(Printable.quoted(said))")
    }
    let isIndex = document.manifests != nil
    let type = document.mediaType ?? entry.mediaType ?? (isIndex ? MediaType.ociIndex : MediaType.ociManifest)
    guard isIndex == MediaType.indexes.contains(type) else {
      throw .malformed(what: label, reason: "it is called \(Printable.quoted(type)) and has \(isIndex ? "'manifests'" : "no 'manifests'")")
    }
    return (document, type)
  }

  /// Why a manifest is of something else than a container image; nil when it is of one.
  private static func reasonNotImage(_ document: ManifestDocument) -> String? {
    if let type = document.artifactType { return "is an artifact of type \(Printable.quoted(type))" }
    if let type = document.config?.mediaType, !MediaType.configs.contains(type) {
      return "has a configuration of type \(Printable.quoted(type)), not an image's"
    }
    let layers = document.layers ?? []
    if let type = layers.first?.mediaType, layers.allSatisfy({ !MediaType.isLayer($0.mediaType ?? MediaType.ociLayer) }) {
      return "holds \(Printable.quoted(type)), not layers of a file system"
    }
    return nil
  }

  private func content(
    _ document: ManifestDocument, _ type: String, _ digest: Digest, size: Int64?, names: [String]
  ) throws(OCIImageError) -> StoredImages.Candidate.Content {
    let label = files.label(Self.path(digest))
    guard let config = document.config, let id = config.digest else { throw .malformed(what: label, reason: "it names no configuration") }
    guard files.has(Self.path(id)) else { return .absent("its configuration is not in the layout") }
    var parts: [LayerPart] = []
    for layer in document.layers ?? [] {
      if let type = layer.mediaType, !MediaType.isLayer(type) {
        throw .malformed(what: label, reason: "it has a layer of the unknown type \(Printable.quoted(type))")
      }
      guard let blob = layer.digest else {
        throw .malformed(what: label, reason: "it has a layer with the digest \(Printable.quoted(layer.digestText)), which is not a sha256")
      }
      guard files.has(Self.path(blob)) else { return .absent("its layer sha256:\(blob.short) is not in the layout") }
      var part = try files.part(Self.path(blob))
      if let wanted = layer.size, part.size != wanted {
        throw .malformed(what: files.label(Self.path(blob)), reason: "it has \(Counted(part.size, "byte")) instead of \(wanted)")
      }
      part.digest = blob
      parts.append(part)
    }
    let bytes = try blob(digest, size: size)
    return .image(
      try StoredImage(
        names: names, manifest: (Descriptor(mediaType: type, blob: BlobDescriptor(digest: digest, size: Int64(bytes.count))), bytes),
        configBytes: try blob(id, size: config.size), parts: parts, what: label))
  }
}
