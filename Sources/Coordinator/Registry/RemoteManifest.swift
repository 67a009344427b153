import BuildModel
import HTTP
import OCIImage

/// A manifest as a registry gave it. `bytes` are what its digest names.
package struct RemoteManifest: Sendable {
  package enum Content: Sendable {
    case image(config: Descriptor, layers: [Descriptor])
    /// By platform; entries without one (attestations), and those of other things than images, are left out.
    case index([(platform: Platform, manifest: Descriptor)])
  }
  package let bytes: [UInt8]
  package let mediaType: String
  package let blob: BlobDescriptor
  package let content: Content

  /// Kinds that are understood; a registry gives one of them only if it is asked for.
  package static let accepted = [MediaType.dockerManifest, MediaType.ociManifest, MediaType.dockerList, MediaType.ociIndex]
  /// As Distribution has it.
  static let limit = 4 << 20

  init(_ bytes: [UInt8], contentType: String?, blob: BlobDescriptor, from url: HTTPURL) throws(HTTPError) {
    func malformed(_ reason: String) -> HTTPError { .decoding(url: url, what: "manifest", reason: reason) }
    let document: ManifestDocument
    do { document = try ManifestDocument(bytes) } catch { throw malformed(error.reason) }
    guard document.schemaVersion == 2 else {
      throw malformed("its schema version is \(document.schemaVersion.map { "\($0)" } ?? "missing") instead of 2")
    }
    let announced = contentType.map { String($0.prefix { $0 != ";" }).trimmedHTTPBlanks }
    guard let type = document.mediaType ?? announced, Self.accepted.contains(type) else {
      throw malformed("its kind is '\((document.mediaType ?? announced ?? "").prefix(100))'")
    }
    self.bytes = bytes
    self.blob = blob
    mediaType = type
    if type == MediaType.dockerList || type == MediaType.ociIndex {
      guard let entries = document.manifests, entries.count <= 256 else { throw malformed("it lists no manifests, or too many") }
      content = .index(
        entries.compactMap { entry in
          guard let platform = entry.platform, let descriptor = entry.descriptor, entry.isImage else { return nil }
          return (platform, descriptor)
        })
    } else {
      guard let config = document.config?.descriptor, let layers = document.layers, layers.count <= 512 else {
        throw malformed("config or layers are missing, or too many")
      }
      let descriptors = layers.compactMap(\.descriptor)
      guard descriptors.count == layers.count else { throw malformed("it has a layer without kind, size or sha256 digest") }
      content = .image(config: config, layers: descriptors)
    }
  }
}
