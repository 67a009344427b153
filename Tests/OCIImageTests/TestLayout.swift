import BuildModel
import Foundation

@testable import OCIImage

/// An image layout that is written by hand, blob by blob.
struct TestLayout {
  let directory: String
  private var entries: [String] = []

  static let layer: [UInt8] = (try? TarReaderTests.tar([TarReaderTests.file("a", "content")])) ?? []

  init(in root: String) throws {
    directory = root + "/oci"
    try FileManager.default.createDirectory(atPath: directory + "/blobs/sha256", withIntermediateDirectories: true)
  }

  /// Writes a blob and gives its descriptor; `more` are further members, each with a comma before it.
  func put(_ type: String, _ bytes: [UInt8], _ more: String = "") throws -> String {
    try Data(bytes).write(to: URL(filePath: directory + "/blobs/sha256/" + StoredImageTests.hex(bytes)))
    return Self.descriptor(type, bytes, more)
  }

  static func descriptor(_ type: String, _ bytes: [UInt8], _ more: String = "") -> String {
    #"{"mediaType":"\#(type)","digest":"sha256:\#(StoredImageTests.hex(bytes))","size":\#(bytes.count)\#(more)}"#
  }

  static func name(_ name: String) -> String { #","annotations":{"org.opencontainers.image.ref.name":"\#(name)"}"# }
  static func platform(_ architecture: String) -> String { #","platform":{"os":"linux","architecture":"\#(architecture)"}"# }

  static func config(_ architecture: String, of layers: [[UInt8]] = [layer]) -> [UInt8] {
    let list = layers.map { "\"sha256:\(StoredImageTests.hex($0))\"" }.joined(separator: ",")
    return Array(#"{"architecture":"\#(architecture)","os":"linux","rootfs":{"type":"layers","diff_ids":[\#(list)]}}"#.utf8)
  }

  static func manifest(_ config: String, _ layers: [String], _ more: String = "") -> [UInt8] {
    Array(#"{"schemaVersion":2,"config":\#(config),"layers":[\#(layers.joined(separator: ","))]\#(more)}"#.utf8)
  }

  /// Writes an image of one layer; gives its manifest.
  func image(_ architecture: String) throws -> [UInt8] {
    let manifest = Self.manifest(
      try put(MediaType.ociConfig, Self.config(architecture)), [try put(MediaType.ociLayer, Self.layer)])
    _ = try put(MediaType.ociManifest, manifest)
    return manifest
  }

  static func index(_ entries: [String]) -> [UInt8] { Array(#"{"schemaVersion":2,"manifests":[\#(entries.joined(separator: ","))]}"#.utf8) }

  func writeIndex(_ entries: [String]) throws {
    try Data(Self.index(entries)).write(to: URL(filePath: directory + "/index.json"))
  }

  func remove(_ bytes: [UInt8]) throws { try FileManager.default.removeItem(atPath: directory + "/blobs/sha256/" + StoredImageTests.hex(bytes)) }
}
