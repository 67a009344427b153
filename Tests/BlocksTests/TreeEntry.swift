import Foundation
import TestPeers

/// One line of `list-tree.py`.
struct TreeEntry: Codable, Hashable {
  var path: String
  var type: String
  var mode: String
  var uid: Int
  var gid: Int
  /// nil where nobody said (directories that only their contents imply).
  var mtime: Int64?
  var xattrs: [String: String]
  var link: String?
  var size: Int64?
  var sha256: String?
  /// All names of a file with several.
  var names: [String]

  static func list(_ kind: String, _ places: [String]) throws -> [TreeEntry] {
    let text = try Tool.run(["python3", TestFeed.fixture("list-tree.py"), kind] + places)
    return try text.split(separator: "\n").map { try JSONDecoder().decode(TreeEntry.self, from: Data($0.utf8)) }
  }

  /// As it must be in a block: times clamped.
  var clamped: TreeEntry {
    var copy = self
    copy.mtime = min(mtime ?? TestFeed.epoch, TestFeed.epoch)
    return copy
  }

  func without(mtime: Bool = false, attributesBut kept: String? = nil) -> TreeEntry {
    var copy = self
    if mtime { copy.mtime = nil }
    if let kept { copy.xattrs = xattrs.filter { $0.key == kept } }
    return copy
  }
}
