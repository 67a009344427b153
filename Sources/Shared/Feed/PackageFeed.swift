import BuildModel
import FoundationEssentials
import Glibc

/// A feed on disk: one directory a package architecture, each with its index.
package struct PackageFeed: Sendable {
  /// A package that the feed offers.
  package struct Candidate: Hashable, Sendable {
    package var stanza: PackageStanza
    /// The architecture directory it lies in.
    package var directory: String
    /// Absolute path of the ipk.
    package var path: String
    /// Its stanza's bytes in the directory's `Packages`.
    package var place: Range<Int>
  }

  package let root: String
  /// Lowest preference first (PACKAGE_ARCHS), only those that are there.
  package let architectures: [String]
  /// Directories of the feed that PACKAGE_ARCHS does not name (SDK packages and the like); never used.
  package let ignoredDirectories: [String]
  /// By name; within one, best first: highest architecture, then newest version.
  package let candidates: [PackageName: [Candidate]]
  /// Packages by the names that they provide, sorted.
  package let providers: [PackageName: [PackageName]]

  /// Reads the index of every directory that `architectures` (PACKAGE_ARCHS, lowest preference first) names.
  package init(root: String, architectures: [String]) throws(FeedError) {
    self.root = root
    let present = try FeedFile.list(root).filter { FeedFile.isDirectory(root + "/" + $0) }
    self.architectures = Self.ordered(architectures).filter { present.contains($0) }
    ignoredDirectories = present.filter { !architectures.contains($0) }
    var found: [PackageName: [Candidate]] = [:]
    for architecture in self.architectures.reversed() {
      let directory = root + "/" + architecture
      let index = try Self.index(of: directory, architecture: architecture)
      var here: [PackageName: [Candidate]] = [:]
      for (stanza, place) in zip(index.stanzas, index.places) {
        here[stanza.name, default: []].append(
          Candidate(stanza: stanza, directory: architecture, path: directory + "/" + stanza.file.text, place: place))
      }
      for (name, list) in here {
        found[name, default: []] += try Self.newestFirst(list)
      }
    }
    candidates = found
    providers = Self.providers(of: found)
  }

  /// Where PACKAGE_ARCHS names one twice, the later place counts, as in opkg's configuration.
  package static func ordered(_ architectures: [String]) -> [String] {
    var last: [String: Int] = [:]
    for (place, name) in architectures.enumerated() { last[name] = place }
    return architectures.enumerated().filter { last[$0.element] == $0.offset }.map(\.element)
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

  /// The index of one directory, refused when it is another architecture's. A directory without packages needs no index.
  private static func index(of directory: String, architecture: String) throws(FeedError) -> PackageIndex {
    let path = directory + "/Packages"
    guard FeedFile.exists(path) else {
      guard try !FeedFile.list(directory).contains(where: { $0.hasSuffix(".ipk") }) else {
        throw .inconsistent(file: path, reason: FeedFinding.indexIsMissing)
      }
      return PackageIndex()
    }
    let index = try PackageIndex(path: path)
    if let stranger = index.stanzas.first(where: { $0.architecture != architecture }) {
      throw .inconsistent(file: path, reason: FeedFinding.isOfAnotherFeed(stranger))
    }
    return index
  }
}

extension PackageFeed.Candidate {
  /// For messages: name, version and directory.
  package var label: String { "\(stanza.name) \(stanza.version) (\(directory))" }
}
