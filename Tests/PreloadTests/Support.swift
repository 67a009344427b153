import BuildModel
import Foundation
import TestFiles
import TestPeers
import Testing

@testable import Preload

enum Fixture {
  static let directory = Fixtures().directory

  static func disk(_ path: String, _ layout: String, mebibytes: Int = 16, label: String = "resin-data", prefix: String = "resin") throws {
    try Tool.run(["\(directory)/make-disk.sh", path, layout, String(mebibytes), label, prefix])
  }

  /// The images of an OCI layout made by make-images.py.
  static func images(_ directory: String, mebibytes: Int = 1, files: Int = 40) throws -> [PreloadImage] {
    try Tool.run(["python3", "\(self.directory)/make-images.py", directory, String(mebibytes), String(files)])
    return try layout(directory)
  }

  static func layout(_ directory: String, repository: String = "local/block") throws -> [PreloadImage] {
    struct Manifest: Decodable {
      struct Content: Decodable { var digest: Digest }
      var config: Content
      var layers: [Content]
    }
    struct Config: Decodable {
      struct RootFS: Decodable { var diff_ids: [Digest] }
      var rootfs: RootFS
    }
    struct Index: Decodable {
      struct Entry: Decodable {
        var digest: Digest
        var annotations: [String: String]
      }
      var manifests: [Entry]
    }
    func path(_ digest: Digest) -> String { "\(directory)/blobs/sha256/\(digest.hex)" }
    func load<T: Decodable>(_: T.Type, _ path: String) throws -> T {
      try JSONDecoder().decode(T.self, from: Data(contentsOf: URL(fileURLWithPath: path)))
    }
    return try load(Index.self, directory + "/index.json").manifests.map { entry in
      let manifest = try load(Manifest.self, path(entry.digest))
      let config = try load(Config.self, path(manifest.config.digest))
      let tag = entry.annotations["org.opencontainers.image.ref.name"] ?? "latest"
      return PreloadImage(
        names: ["\(repository):\(tag)"], manifestDigest: entry.digest, config: path(manifest.config.digest),
        layers: zip(manifest.layers, config.rootfs.diff_ids).map { .init(path: path($0.digest), digest: $0.digest, diffID: $1) })
    }
  }
}

func sha256(_ path: String) throws -> String { String(try Tool.run(["sha256sum", path]).prefix(64)) }

func files(in directory: String) throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: directory).sorted() }

/// Reads and writes single bytes of a file, to damage it.
func patch(_ path: String, at offset: UInt64, _ bytes: [UInt8]) throws {
  let handle = try FileHandle(forUpdating: URL(fileURLWithPath: path))
  try handle.seek(toOffset: offset)
  try handle.write(contentsOf: Data(bytes))
  try handle.close()
}

/// The partition that holds the label, and its file system judged by e2fsck.
func expectClean(_ image: String) throws {
  let file = try DiskFile(image, .read)
  let data = try DataPartition(in: file)
  let checked = try Tool.end(of: ["e2fsck", "-fn", "\(image)?offset=\(data.partition.start)"])
  #expect(checked.status == 0, "\(checked.text)")
}

let testTime: Int64 = 1_700_000_000
