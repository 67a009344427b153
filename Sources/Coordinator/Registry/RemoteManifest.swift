import BuildModel
import CanonicalJSON
import HTTP
import OCIImage

/// A manifest as a registry gave it. `bytes` are what its digest names.
package struct RemoteManifest: Sendable {
  package enum Content: Sendable {
    case image(config: Descriptor, layers: [Descriptor])
    /// By platform; entries without one (attestations) are left out.
    case index([(platform: Platform, manifest: Descriptor)])
  }
  package let bytes: [UInt8]
  package let mediaType: String
  package let blob: BlobDescriptor
  package let content: Content

  /// Kinds that are understood; a registry gives one of them only if it is asked for.
  package static let accepted = [MediaType.dockerManifest, MediaType.ociManifest, dockerList, ociIndex]
  static let dockerList = "application/vnd.docker.distribution.manifest.list.v2+json"
  static let ociIndex = "application/vnd.oci.image.index.v1+json"
  /// As Distribution has it.
  static let limit = 4 << 20

  private struct Document: Decodable {
    struct Entry: Decodable {
      var mediaType: String
      var digest: Digest
      var size: Int64
      var platform: Platform?
    }
    var schemaVersion: Int
    var mediaType: String?
    var config: Descriptor?
    var layers: [Descriptor]?
    var manifests: [Entry]?
  }

  init(_ bytes: [UInt8], contentType: String?, blob: BlobDescriptor, from url: HTTPURL) throws(HTTPError) {
    func malformed(_ reason: String) -> HTTPError { .decoding(url: url, what: "manifest", reason: reason) }
    let document: Document
    do { document = try CanonicalJSON.decode(Document.self, from: bytes, limit: Self.limit) } catch { throw malformed("\(error)") }
    guard document.schemaVersion == 2 else { throw malformed("schema version \(document.schemaVersion) is not spoken") }
    let announced = contentType.map { String($0.prefix { $0 != ";" }).trimmedHTTPBlanks }
    guard let type = document.mediaType ?? announced, Self.accepted.contains(type) else {
      throw malformed("its kind is '\((document.mediaType ?? announced ?? "").prefix(100))'")
    }
    self.bytes = bytes
    self.blob = blob
    mediaType = type
    if type == Self.dockerList || type == Self.ociIndex {
      guard let entries = document.manifests, entries.count <= 256 else { throw malformed("it lists no manifests, or too many") }
      content = .index(
        entries.compactMap { entry in
          entry.platform.map {
            ($0, Descriptor(mediaType: entry.mediaType, blob: BlobDescriptor(digest: entry.digest, size: entry.size)))
          }
        })
    } else {
      guard let config = document.config, let layers = document.layers, layers.count <= 512, ([config] + layers).allSatisfy({ $0.size >= 0 })
      else { throw malformed("config or layers are missing, or too many") }
      content = .image(config: config, layers: layers)
    }
  }
}
