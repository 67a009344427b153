import BuildModel
import FoundationEssentials
import Glibc

import enum Crypto.Insecure
import struct Crypto.SHA256

/// Writes `Packages` and `Packages.gz` of a feed from what lies in it, as opkg-make-index does: the packages' own control files with size, digests
/// and file name, by file name. The same packages give the same bytes.
package struct FeedIndexer: Sendable {
  package struct Summary: Hashable, Sendable {
    package var architecture: String
    package var packages: Int
  }

  /// The order of fields of opkg-utils' indexes; fields it does not know follow in the control file's order.
  private static let order = [
    "Package", "Version", "Depends", "Provides", "Replaces", "Conflicts", "Suggests", "Recommends", "Section", "Architecture", "Maintainer", "MD5Sum",
    "SHA256sum", "Size", "InstalledSize", "Filename", "Source", "Description", "OE", "HomePage", "License", "Priority", "Tags",
  ]
  /// Said by the file and not by whoever packed it.
  private static let measured: Set<String> = ["MD5Sum", "MD5sum", "SHA256sum", "SHA256", "Size", "Filename"]

  package let root: String

  package init(root: String) { self.root = root }

  /// Indexes every directory that holds packages or an index. Nothing is replaced before all indexes are written beside their places.
  package func run() throws(FeedError) -> [Summary] {
    var written: [(temporary: String, path: String)] = []
    var summaries: [Summary] = []
    do throws(FeedError) {
      for architecture in try FeedFile.list(root) where FeedFile.isDirectory(root + "/" + architecture) {
        let directory = root + "/" + architecture
        let names = try FeedFile.list(directory)
        let files = names.filter { $0.hasSuffix(".ipk") }
        guard !files.isEmpty || names.contains("Packages") else { continue }
        let text = try stanzas(of: files, architecture: architecture)
        for (name, content) in [("Packages", text), ("Packages.gz", [try GzipFile.deflate(text)])] {
          let path = directory + "/" + name
          if let reason = OutputPath.reasonNotFile(path) { throw .inconsistent(file: path, reason: reason) }
          written.append((try FeedFile.writeBeside(path, pieces: content), path))
        }
        summaries.append(Summary(architecture: architecture, packages: files.count))
      }
      for (temporary, path) in written {
        guard rename(temporary, path) == 0 else { throw .system(operation: "rename", path: path, errno: errno) }
      }
    } catch {
      for (temporary, _) in written { unlink(temporary) }
      throw error
    }
    return summaries
  }

  private func stanzas(of files: [String], architecture: String) throws(FeedError) -> [[UInt8]] {
    var stanzas: [[UInt8]] = []
    var places: [String: [(version: OpkgVersion, file: String, digest: Digest)]] = [:]
    for file in files {
      let (text, name, version, digest) = try stanza(of: file, architecture: architecture)
      if let twin = places[name]?.first(where: { $0.version.isEquivalent(to: version) && $0.digest != digest }) {
        throw .inconsistent(
          file: "\(root)/\(architecture)/\(file)",
          reason: "is \(name) \(version), as is \(twin.file), with other content: nobody can say which is meant")
      }
      places[name, default: []].append((version, file, digest))
      stanzas.append(text)
    }
    return stanzas
  }

  private func stanza(of file: String, architecture: String) throws(FeedError) -> ([UInt8], name: String, OpkgVersion, Digest) {
    let path = "\(root)/\(architecture)/\(file)"
    func wrong(_ reason: String) -> FeedError { .inconsistent(file: path, reason: reason) }
    guard RelativePath(file) != nil else { throw wrong("has a name that an index cannot hold") }
    let control = try Ipk(path: path).controlFields()
    guard let name = control["Package"], (try? PackageName(name)) != nil else { throw wrong("its control file names no package") }
    guard let version = control["Version"].flatMap({ OpkgVersion(valid: $0) }) else { throw wrong("its control file has no valid 'Version'") }
    guard control["Architecture"] == architecture else {
      throw wrong("is of architecture '\(control["Architecture"]?.prefix(80) ?? "")' and lies in '\(architecture)'")
    }
    var sha256 = SHA256()
    var md5 = Insecure.MD5()
    var size: Int64 = 0
    try FeedFile.stream(path) {
      sha256.update(bufferPointer: $0)
      md5.update(bufferPointer: $0)
      size += Int64($0.count)
    }
    guard let digest = Digest(bytes: sha256.finalize()) else { throw wrong("cannot be hashed") }
    var fields = control.fields.filter { !Self.measured.contains($0.key) && !$0.value.isEmpty }
    fields += [
      .init(key: "MD5Sum", value: md5.finalize().map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()),
      .init(key: "SHA256sum", value: digest.hex), .init(key: "Size", value: String(size)), .init(key: "Filename", value: file),
    ]
    let places = Dictionary(uniqueKeysWithValues: Self.order.enumerated().map { ($1, $0) })
    let sorted = fields.enumerated().sorted {
      (places[$0.element.key] ?? .max, $0.offset) < (places[$1.element.key] ?? .max, $1.offset)
    }
    return (Array((sorted.map { "\($0.element.key): \($0.element.value)\n" }.joined() + "\n").utf8), name, version, digest)
  }
}
