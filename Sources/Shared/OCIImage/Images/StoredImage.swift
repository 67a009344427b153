import BuildModel

import struct Crypto.SHA256

/// An image found in a docker-archive or an image layout, whoever made it. Its config's digest was checked; layers are checked when they are read.
package struct StoredImage: Sendable {
  /// Tags (docker-archive) or reference names (layout).
  package var names: [String]
  /// Of a layout: the manifest that was read.
  package var manifest: Descriptor?
  package var manifestBytes: [UInt8]?
  /// The very bytes; their sha256 is the image's id.
  package var configBytes: [UInt8]
  package var id: Digest
  package var config: Config
  /// Lowest first.
  package var layers: [Layer]

  /// No image has more layers: overlay mounts take 128 lower directories (Linux, fs/overlayfs).
  static let layerLimit = 128

  /// `parts` are the layers' places, lowest first; `what` is for messages.
  init(
    names: [String], manifest: (descriptor: Descriptor, bytes: [UInt8])?, configBytes: [UInt8], parts: [LayerPart], what: String
  ) throws(OCIImageError) {
    guard parts.count <= Self.layerLimit else { throw .malformed(what: what, reason: "it has \(Counted(parts.count, "layer"))") }
    do { config = try Config(configBytes) } catch { throw .malformed(what: what, reason: "its image configuration cannot be used: \(error.reason)") }
    guard let id = Digest(bytes: SHA256.hash(data: configBytes)) else { throw .compression("no digest") }
    guard config.diffIDs.count == parts.count else {
      throw .malformed(what: what, reason: "its configuration has \(Counted(config.diffIDs.count, "layer")), its manifest \(parts.count)")
    }
    self.names = names
    self.manifest = manifest?.descriptor
    manifestBytes = manifest?.bytes
    self.configBytes = configBytes
    self.id = id
    layers = zip(parts, config.diffIDs).map { Layer(part: $0, diffID: $1) }
  }
}

/// Where the bytes of a layer are.
struct LayerPart: Sendable {
  /// nil in a docker-archive.
  var digest: Digest?
  var path: String
  var offset: Int64
  var size: Int64
  var followsLinks: Bool
}
