import BuildModel
import Foundation
import TestArchives
import TestFiles
import Testing

import enum Crypto.Insecure
import struct Crypto.SHA256

/// Writes a feed whose packages and indexes say what a test wants.
final class TestFeed {
  let root: String
  private var indexes: [String: String] = [:]

  init(_ root: String) throws { self.root = root }

  /// Adds a package. `damage` changes the file after its stanza was made; with `isDamagedFirst` before that.
  func add(
    _ name: String, _ version: String, _ directory: String, architecture: String? = nil, fields: String? = nil, data: [UInt8]? = nil,
    scripts: [String] = [], relations: String = "", sums: Set<String> = ["SHA256sum", "MD5Sum"], isThere: Bool = true,
    isDamagedFirst: Bool = false, damage: ([UInt8]) -> any Collection<UInt8> = { $0 }
  ) throws {
    let file = "\(name)_\(version)_\(directory).ipk"
    let control = fields ?? "Package: \(name)\nVersion: \(version)\nArchitecture: \(directory)\nOE: recipe-\(name)\nLicense: MIT\n\(relations)"
    var bytes = RawArchive.ipk(dataName: "data.tar", data: data ?? RawTar.of { $0.add("./" + name, data: [1]) }, scripts: scripts, fields: control)
    if isDamagedFirst { bytes = Array(damage(bytes)) }
    var text = "Package: \(name)\nVersion: \(version)\nArchitecture: \(architecture ?? directory)\n" + relations
    if sums.contains("MD5Sum") { text += "MD5Sum: \(Insecure.MD5.hash(data: bytes).map { String(format: "%02x", $0) }.joined())\n" }
    if sums.contains("SHA256sum") { text += "SHA256sum: \(try #require(Digest(bytes: SHA256.hash(data: bytes))).hex)\n" }
    indexes[directory, default: ""] += text + "Size: \(bytes.count)\nFilename: \(file)\nOE: recipe-\(name)\nLicense: MIT\n\n"
    if !isDamagedFirst { bytes = Array(damage(bytes)) }
    if isThere { try write(bytes, to: "\(root)/\(directory)/\(file)") }
  }

  func append(_ text: String, to directory: String) { indexes[directory, default: ""] += text }

  func writeIndexes() throws {
    for (directory, text) in indexes {
      try write(Array(text.utf8), to: "\(root)/\(directory)/Packages")
      try Packer.shell("gzip -kfn '\(root)/\(directory)/Packages'")
    }
  }
}
