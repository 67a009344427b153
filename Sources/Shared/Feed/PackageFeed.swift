import BuildModel
import FoundationEssentials
import Glibc

import enum Crypto.Insecure
import struct Crypto.SHA256

/// A feed on disk: one directory a package architecture, each with its index.
package struct PackageFeed: Sendable {
  /// A package that the feed offers.
  package struct Candidate: Hashable, Sendable {
    package var stanza: PackageStanza
    /// The architecture directory it lies in.
    package var directory: String
    /// Absolute path of the ipk.
    package var path: String
  }

  package let root: String
  /// Lowest preference first (PACKAGE_ARCHS), only those that are there.
  package let architectures: [String]
  /// Directories of the feed that PACKAGE_ARCHS does not name (SDK packages and the like); never used.
  package let ignoredDirectories: [String]
  /// By name; within one, best first: highest architecture, then newest version.
  package let candidates: [PackageName: [Candidate]]

  /// Reads the index of every directory that `architectures` (PACKAGE_ARCHS, lowest preference first) names.
  package init(root: String, architectures: [String]) throws(FeedError) {
    self.root = root
    let present = try Self.list(root).filter { Self.isDirectory(root + "/" + $0) }
    // Where PACKAGE_ARCHS names one twice, the later place counts, as in opkg's configuration.
    var last: [String: Int] = [:]
    for (place, name) in architectures.enumerated() { last[name] = place }
    self.architectures = architectures.enumerated().filter { last[$0.element] == $0.offset && present.contains($0.element) }.map(\.element)
    ignoredDirectories = present.filter { !architectures.contains($0) }.sorted()
    var found: [PackageName: [Candidate]] = [:]
    for architecture in self.architectures.reversed() {
      let directory = root + "/" + architecture
      let index = try Self.index(of: directory)
      var here: [PackageName: [Candidate]] = [:]
      for stanza in index.stanzas {
        here[stanza.name, default: []].append(
          Candidate(stanza: stanza, directory: architecture, path: directory + "/" + stanza.file.text))
      }
      for (name, list) in here {
        found[name, default: []] += try Self.newestFirst(list)
      }
    }
    candidates = found
  }

  /// Repeated stanzas of one version are one candidate when they promise the same bytes; otherwise nobody can say which is meant.
  private static func newestFirst(_ list: [Candidate]) throws(FeedError) -> [Candidate] {
    var result: [Candidate] = []
    for candidate in list.sorted(by: { ($1.stanza.version, $0.path) < ($0.stanza.version, $1.path) }) {
      guard let last = result.last, last.stanza.version.isEquivalent(to: candidate.stanza.version) else {
        result.append(candidate)
        continue
      }
      guard last.stanza.hasSameContent(as: candidate.stanza) else {
        throw .inconsistent(
          file: candidate.path,
          reason: "\(candidate.stanza.name) \(candidate.stanza.version) is listed twice with other content (also as \(last.path))")
      }
    }
    return result
  }

  /// A directory without packages needs no index.
  static func index(of directory: String) throws(FeedError) -> PackageIndex {
    let path = directory + "/Packages"
    if access(path, F_OK) != 0 {
      guard try !list(directory).contains(where: { $0.hasSuffix(".ipk") }) else {
        throw .inconsistent(file: path, reason: "is missing although the directory holds packages; the package-index task makes it")
      }
      return PackageIndex(stanzas: [])
    }
    return try PackageIndex(try contents(path, limit: 256 << 20), file: path)
  }

  /// Checks that every directory with packages has an index, that `Packages.gz` has the same content, that every stanza has its file of the
  /// right size and digest, and that every ipk is listed. Returns the number of packages.
  package func verify() throws(FeedError) -> Int {
    var count = 0
    for architecture in architectures {
      let directory = root + "/" + architecture
      let files = Set(try Self.list(directory).filter { $0.hasSuffix(".ipk") })
      if files.isEmpty, access(directory + "/Packages", F_OK) != 0 { continue }
      let plain = try Self.contents(directory + "/Packages", limit: 256 << 20)
      let packed = try GzipFile.inflate(directory + "/Packages.gz", limit: 256 << 20)
      guard plain == packed else { throw .inconsistent(file: directory + "/Packages.gz", reason: "differs from Packages") }
      let index = try PackageIndex(plain, file: directory + "/Packages")
      for stanza in index.stanzas {
        guard stanza.architecture == architecture else {
          throw .inconsistent(
            file: directory + "/Packages", reason: "\(stanza.name) is of architecture '\(stanza.architecture.prefix(80))': the index of another feed?"
          )
        }
        try Self.verify(stanza, at: directory + "/" + stanza.file.text)
      }
      let listed = Set(index.stanzas.map(\.file.text))
      if let stray = files.subtracting(listed).min() {
        throw .inconsistent(file: directory + "/" + stray, reason: "is not listed in Packages")
      }
      count += index.stanzas.count
    }
    return count
  }

  /// Checks size and digest of one package file: sha256, or md5 where the index has nothing better.
  package static func verify(_ stanza: PackageStanza, at path: String) throws(FeedError) {
    var status = stat()
    guard lstat(path, &status) == 0 else { throw .inconsistent(file: path, reason: "is listed but not there") }
    guard status.st_mode & S_IFMT == S_IFREG else { throw .inconsistent(file: path, reason: "is listed but is no regular file") }
    guard Int64(status.st_size) == stanza.size else {
      throw .inconsistent(file: path, reason: "has \(status.st_size) bytes, its index says \(stanza.size)")
    }
    if let expected = stanza.sha256 {
      var hash = SHA256()
      try stream(path) { hash.update(bufferPointer: $0) }
      guard Digest(bytes: hash.finalize()) == expected else { throw .inconsistent(file: path, reason: "its sha256 is not the index's") }
    } else if let expected = stanza.md5 {
      var hash = Insecure.MD5()
      try stream(path) { hash.update(bufferPointer: $0) }
      let found = hash.finalize().map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
      guard found == expected else { throw .inconsistent(file: path, reason: "its md5 is not the index's") }
    } else {
      throw .inconsistent(file: path, reason: "its index has neither sha256 nor md5")
    }
  }
}
