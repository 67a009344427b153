import BuildModel
import Foundation
import OCIImage
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
    try ImageLayoutReader.images(in: directory).candidates.map { candidate in
      guard case .image(let image) = candidate.content, let manifest = image.manifest else { throw CocoaError(.fileReadCorruptFile) }
      let names = ["\(repository):\(image.names.first ?? "latest")"]
      return PreloadImage(names: names, manifestDigest: manifest.digest, config: image.configBytes, layers: image.layers)
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
