import BlobStore
import BuildModel
import FoundationEssentials
import Glibc

/// Writes an archive that `docker load` accepts: config, uncompressed layers and manifest.json (Docker image specification v1.2), streamed.
package enum DockerArchive {
  private struct Manifest: Codable {
    var Config: String
    var RepoTags: [String]
    var Layers: [String]
  }

  /// `layers` gives for each layer its diff id, the size of its tar, and a function that streams the tar.
  package static func write(
    config: [UInt8], configDigest: Digest, references: [String], epoch: Int64, to path: String,
    layers: [(diffID: Digest, tarSize: Int64, stream: ((UnsafeRawBufferPointer) throws -> Void) throws -> Void)]
  ) throws {
    let descriptor = open(path + ".new", O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw OCIImageError.system(operation: "create", path: path, errno: errno) }
    defer {
      close(descriptor)
      // Gone already when all went well.
      unlink(path + ".new")
    }
    func emit(_ bytes: UnsafeRawBufferPointer) throws {
      var rest = bytes
      while !rest.isEmpty {
        let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { throw OCIImageError.system(operation: "write", path: path, errno: errno) }
        rest = UnsafeRawBufferPointer(rebasing: rest[count...])
      }
    }
    func member(_ name: String, size: Int64, body: ((UnsafeRawBufferPointer) throws -> Void) throws -> Void) throws {
      let entry = TarEntry(path: Array(name.utf8), kind: .file(size: size), mode: 0o644, uid: 0, gid: 0, mtime: epoch)
      try TarHeader.blocks(for: entry).withUnsafeBytes(emit)
      var written: Int64 = 0
      try body {
        written += Int64($0.count)
        try emit($0)
      }
      guard written == size else { throw OCIImageError.malformed(what: name, reason: "\(written) bytes instead of \(size)") }
      try [UInt8](repeating: 0, count: TarHeader.padding(after: size)).withUnsafeBytes(emit)
    }
    try member(configDigest.hex + ".json", size: Int64(config.count)) { try config.withUnsafeBytes($0) }
    for layer in layers { try member(layer.diffID.hex + "/layer.tar", size: layer.tarSize, body: layer.stream) }
    let manifest = try WorkerProtocol.encode([
      Manifest(Config: configDigest.hex + ".json", RepoTags: references, Layers: layers.map { $0.diffID.hex + "/layer.tar" })
    ])
    try member("manifest.json", size: Int64(manifest.count)) { try manifest.withUnsafeBytes($0) }
    try [UInt8](repeating: 0, count: 1024).withUnsafeBytes(emit)
    guard rename(path + ".new", path) == 0 else { throw OCIImageError.system(operation: "rename", path: path, errno: errno) }
  }
}
