import BuildModel
import CanonicalJSON

import struct Crypto.SHA256

/// A container image whose configuration was read and fits its layers.
struct ImageRecord: Sendable {
  private static let longestConfig = 8 << 20

  let names: [ImageName]
  let manifestDigest: Digest
  let config: [UInt8]
  /// Of the configuration: the image's identity in the store.
  let id: Digest
  let layers: [PreloadImage.Layer]
  /// The layers' identities in the store, each naming all of its parents.
  let chains: [Digest]

  init(_ image: PreloadImage) throws(PreloadError) {
    let label = image.names.first ?? image.manifestDigest.description
    var names: [ImageName] = []
    for text in image.names {
      guard let name = ImageName(text) else { throw .containerImage(name: text, reason: "is not a repository with a tag") }
      names.append(name)
    }
    guard !names.isEmpty else { throw .containerImage(name: label, reason: "has no name") }
    guard !image.layers.isEmpty else { throw .containerImage(name: label, reason: "has no layers") }
    let file = try DiskFile(image.config, .read)
    let size = try file.size()
    guard size <= Int64(Self.longestConfig) else { throw .containerImage(name: label, reason: "its configuration has \(size) bytes") }
    let config = try file.read(Int(size), at: 0)
    struct Config: Decodable {
      struct RootFS: Decodable {
        let type: String
        let diff_ids: [Digest]
      }
      let rootfs: RootFS
    }
    let decoded: Config
    do { decoded = try CanonicalJSON.decode(Config.self, from: config, limit: Self.longestConfig) } catch {
      throw .containerImage(name: label, reason: "its configuration \(image.config) cannot be read: \(error)")
    }
    guard decoded.rootfs.type == "layers", decoded.rootfs.diff_ids == image.layers.map(\.diffID) else {
      throw .containerImage(name: label, reason: "its configuration names other layers than the ones that are given")
    }
    var chains: [Digest] = []
    for layer in image.layers {
      chains.append(chains.last.map { Self.digest(of: "\($0) \(layer.diffID)") } ?? layer.diffID)
    }
    self.names = names
    manifestDigest = image.manifestDigest
    self.config = config
    id = Self.digest(of: config)
    layers = image.layers
    self.chains = chains
  }

  static func digest(of text: String) -> Digest { digest(of: Array(text.utf8)) }

  private static func digest(of bytes: [UInt8]) -> Digest {
    guard let digest = Digest(bytes: SHA256.hash(data: bytes)) else { preconditionFailure("a sha256 has 32 bytes") }
    return digest
  }
}
