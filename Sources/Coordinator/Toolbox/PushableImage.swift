import BlobStore
import BuildModel
import CanonicalJSON
import FoundationEssentials
import Glibc
import OCIImage
import Registry

import struct Crypto.SHA256

/// An image in a file or directory that can be put into a registry.
package enum PushableImage {
  /// Which of its two manifests a block is known by.
  package enum Format: String, Sendable, CaseIterable {
    /// What devices and registries refer to.
    case docker
    /// The manifest of the layout as it is.
    case oci
  }

  private struct Index: Decodable {
    struct Entry: Decodable {
      var digest: Digest
      var size: Int64
      var mediaType: String
      var annotations: [String: String]?
      var name: String? { annotations?["org.opencontainers.image.ref.name"] }
    }
    var manifests: [Entry]
  }
  /// Reads `LAYOUT[:NAME]` or a docker-archive. Layers of an archive are compressed below `scratch`, to the very blobs that the block has in a layout.
  static func read(_ place: String, format: Format, scratch: String) throws -> LocalImage {
    var status = stat()
    if stat(place, &status) == 0 {
      if status.st_mode & S_IFMT == S_IFDIR { return try layout(place, name: nil, format: format) }
      return try archive(place, format: format, scratch: scratch)
    }
    guard let colon = place.lastIndex(of: ":") else { throw ToolboxError.usage("there is no image layout or docker-archive '\(place)'") }
    return try layout(String(place[..<colon]), name: String(place[place.index(after: colon)...]), format: format)
  }

  private static func layout(_ directory: String, name: String?, format: Format) throws -> LocalImage {
    guard let bytes = try? Data(contentsOf: URL(filePath: directory + "/index.json")) else {
      throw ToolboxError.usage("'\(directory)' is no OCI image layout: it has no readable index.json")
    }
    let index: Index
    do { index = try CanonicalJSON.decode(Index.self, from: bytes, limit: 4 << 20) } catch {
      throw ToolboxError.usage("'\(directory)' is no OCI image layout: index.json: \(error)")
    }
    let found = index.manifests.filter { name == nil || $0.name == name }
    guard found.count == 1, let entry = found.first else {
      let names = index.manifests.compactMap(\.name).sorted()
      let near = name.map { NearestNames.of($0, among: names) } ?? []
      throw ToolboxError.usage(
        "'\(directory)' has \(found.isEmpty ? "no" : "more than one") image\(name.map { " named '\($0)'" } ?? ""); it has "
          + (near.isEmpty ? names.prefix(20) : near.prefix(20)).joined(separator: ", "))
    }
    func path(_ digest: Digest) -> String { "\(directory)/blobs/sha256/\(digest.hex)" }
    let stored = Array(try Data(contentsOf: URL(filePath: path(entry.digest))))
    guard Digest(bytes: SHA256.hash(data: stored)) == entry.digest else {
      throw ToolboxError.usage("'\(directory)' is damaged: manifest \(entry.digest) has other content")
    }
    let manifest: ImageManifest
    do { manifest = try CanonicalJSON.decode(ImageManifest.self, from: stored) } catch {
      throw ToolboxError.usage("'\(directory)' is damaged: manifest \(entry.digest): \(error)")
    }
    let parts = ([manifest.config] + manifest.layers).map { BlobDescriptor(digest: $0.digest, size: $0.size) }
    for part in parts {
      var status = stat()
      guard stat(path(part.digest), &status) == 0, Int64(status.st_size) == part.size else {
        throw ToolboxError.usage("'\(directory)' is damaged: blob \(part.digest) is missing or has not \(part.size) bytes")
      }
    }
    let sent: LocalManifest
    if format == .oci || manifest.mediaType == MediaType.dockerManifest {
      sent = try LocalManifest(stored, mediaType: manifest.mediaType)
    } else {
      guard manifest.config.mediaType == MediaType.ociConfig, manifest.layers.allSatisfy({ $0.mediaType == MediaType.ociGzipLayer }) else {
        throw ToolboxError.usage("the image has layers that are not gzip, which have no Docker manifest; push it with --format oci")
      }
      sent = try docker(config: parts[0], layers: Array(parts.dropFirst()))
    }
    return LocalImage(manifest: sent, blobs: parts.map { LocalBlob($0, file: path($0.digest)) })
  }

  private static func archive(_ path: String, format: Format, scratch: String) throws -> LocalImage {
    guard format == .docker else { throw ToolboxError.usage("a docker-archive has no OCI manifest; push it with --format docker") }
    let images = try DockerArchiveReader.images(in: path)
    guard images.count == 1, let image = images.first else { throw ToolboxError.usage("'\(path)' has \(images.count) images, one can be pushed") }
    let store = try BlobStore(root: scratch + "/blobs")
    let layers = try image.layers.map { layer in
      do {
        return try layer.compress(into: store).layer.blob
      } catch OCIImageError.malformed(_, let reason) {
        throw ToolboxError.usage("'\(path)' is damaged: what it holds is not layer \(layer.diffID): \(reason)")
      }
    }
    let descriptor = BlobDescriptor(digest: image.id, size: Int64(image.configBytes.count))
    return LocalImage(
      manifest: try docker(config: descriptor, layers: layers),
      blobs: [LocalBlob(descriptor, bytes: image.configBytes)] + layers.map { LocalBlob($0, file: store.path($0.digest)) })
  }

  private static func docker(config: BlobDescriptor, layers: [BlobDescriptor]) throws -> LocalManifest {
    let manifest = ImageManifest(.docker, config: config, gzipLayers: layers)
    return try LocalManifest(try manifest.bytes(), mediaType: manifest.mediaType)
  }
}
