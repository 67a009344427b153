import FoundationEssentials
import Glibc

/// A directory that somebody named as a feed. That it is one is checked here, so that a wrong path is no empty feed.
package struct FeedDirectory: Sendable {
  package let root: String
  /// The directories to use, in the order in which they were asked for; without a wish all of them, sorted.
  package let architectures: [String]
  /// Directories that were asked for and are not there.
  package let absent: [String]

  /// - Parameter architectures: PACKAGE_ARCHS; nil: not known. A feed lacks most of them, but one that lacks them all is another feed.
  package init(_ root: String, architectures: [String]?) throws(FeedError) {
    self.root = root
    // The path itself may be a link; what is below it may not.
    var status = stat()
    guard stat(root, &status) == 0 else { throw .noFeed(root, reason: "is not a feed: \(String(cString: strerror(errno)))", hint: nil) }
    guard status.st_mode & S_IFMT == S_IFDIR else { throw .noFeed(root, reason: "is not a feed but a file", hint: Self.question) }
    let present = try FeedCheck.directories(of: root)
    guard present.contains(where: { Self.isArchitecture(root + "/" + $0) }) else {
      throw .noFeed(
        root, reason: "is not a feed: none of its directories holds packages or an index (Packages)", hint: Self.hint(for: root, present: present))
    }
    let wanted = architectures.map { PackageFeed.ordered($0) }
    self.architectures = wanted?.filter { present.contains($0) } ?? present
    absent = wanted?.filter { !present.contains($0) } ?? []
    guard !self.architectures.isEmpty else {
      throw .noFeed(
        root, reason: "has none of the directories \(Self.list(absent))", hint: "\(Self.question) It has \(Self.list(present))")
    }
  }

  private static func list(_ names: [String]) -> String {
    names.prefix(40).joined(separator: ", ") + (names.count > 40 ? " and \(names.count - 40) more" : "")
  }

  /// Whether packages lie here, or an index that lists some. An index without packages says little: OpenEmbedded also puts one into the feed's own
  /// directory.
  private static func holdsPackages(_ directory: String) -> Bool {
    let names = (try? FeedFile.list(directory)) ?? []
    return names.contains { $0.hasSuffix(".ipk") } || FeedFile.size(directory + "/Packages") > 0
  }

  /// Whether the directory is one of a feed: with packages, or with an empty index and no architectures of its own.
  private static func isArchitecture(_ directory: String) -> Bool {
    holdsPackages(directory) || FeedFile.exists(directory + "/Packages") && !isFeed(directory)
  }

  /// Whether a directory in this one holds packages.
  private static func isFeed(_ directory: String) -> Bool {
    ((try? FeedCheck.directories(of: directory)) ?? []).prefix(200).contains { holdsPackages(directory + "/" + $0) }
  }

  private static let question = "is it the directory above the architectures?"

  /// The question, and what may have been meant: the directory above, or one below (`deploy/` instead of `deploy/ipk/`).
  private static func hint(for root: String, present: [String]) -> String {
    if holdsPackages(root) { return "\(question) It holds packages itself; its parent is \(parent(root))" }
    if let below = present.prefix(200).first(where: { isFeed(root + "/" + $0) }) { return "\(question) \(root)/\(below) looks like one" }
    let names = (try? FeedFile.list(root)) ?? []
    let links = names.filter { FeedFile.kind(root + "/" + $0) == S_IFLNK && holdsPackages(root + "/" + $0) }
    return links.isEmpty ? question : "\(question) Symbolic links are not followed: \(list(links))"
  }

  private static func parent(_ path: String) -> String {
    if path == "." || path == ".." || path.hasSuffix("/.") || path.hasSuffix("/..") { return path + "/.." }
    var path = path
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }
}
