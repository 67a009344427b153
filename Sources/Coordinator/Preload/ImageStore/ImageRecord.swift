import BuildModel
import OCIImage

import struct Crypto.SHA256

/// A container image whose configuration was read and fits its layers.
struct ImageRecord: Sendable {
  private static let longestConfig = 8 << 20

  let names: [ImageName]
  let manifestDigest: Digest
  let config: [UInt8]
  /// Of the configuration: the image's identity in the store.
  let id: Digest
  let layers: [StoredImage.Layer]
  /// The layers' identities in the store, each naming all of its parents.
  let chains: [Digest]

  init(_ image: PreloadImage) throws(PreloadError) {
    let label = image.names.first.map(Printable.text) ?? image.manifestDigest.description
    var names: [ImageName] = []
    for text in image.names {
      guard let name = ImageName(text) else {
        throw .containerImage(name: Printable.text(text), reason: "its name is not that of a repository, with or without a tag")
      }
      names.append(name)
    }
    guard !names.isEmpty else { throw .containerImage(name: label, reason: "it has no name") }
    guard !image.layers.isEmpty else { throw .containerImage(name: label, reason: "it has no layers") }
    guard image.config.count <= Self.longestConfig else {
      throw .containerImage(name: label, reason: "its configuration has \(Counted(image.config.count, "byte"))")
    }
    let config: StoredImage.Config
    do { config = try StoredImage.Config(image.config) } catch {
      throw .containerImage(name: label, reason: "its configuration cannot be used: \(error.reason)")
    }
    guard config.diffIDs == image.layers.map(\.diffID) else {
      throw .containerImage(name: label, reason: "its configuration names other layers than the ones that are given")
    }
    var chains: [Digest] = []
    for layer in image.layers {
      chains.append(chains.last.map { Self.digest(of: "\($0) \(layer.diffID)") } ?? layer.diffID)
    }
    self.names = names
    manifestDigest = image.manifestDigest
    self.config = image.config
    id = Self.digest(of: image.config)
    layers = image.layers
    self.chains = chains
  }

  static func digest(of text: String) -> Digest { digest(of: Array(text.utf8)) }

  private static func digest(of bytes: [UInt8]) -> Digest {
    guard let digest = Digest(bytes: SHA256.hash(data: bytes)) else { preconditionFailure("a sha256 has 32 bytes") }
    return digest
  }
}
