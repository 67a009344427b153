import Feed
import OCIImage

/// The entries of one layer in order: what a tree holds that the layers below it do not already give.
///
/// A lower tree holds the packages of the lower layers, and so the layer depends on those and its own packages alone: layers of packages that
/// several blocks share are the same layer in all of them. Laid over each other the layers give the topmost tree by construction, because every
/// entry that differs is there, a directory with the attributes it must have in the end.
struct LayerContent {
  private let tree: RootfsTree
  private let paths: [[UInt8]]

  /// nil where the lower tree has it all. `lower` must be of some of the packages of `tree`.
  init?(_ tree: RootfsTree, over lower: RootfsTree?, epoch: Int64) {
    self.tree = tree
    guard let lower else {
      paths = tree.nodes.keys.sorted(by: LayerOrder.ascends)
      return
    }
    let names = Self.names(of: tree)
    let lowerNames = Self.names(of: lower)
    var wanted: Set<[UInt8]> = []
    for (path, node) in tree.nodes {
      guard let old = lower.nodes[path], Self.isSame(node, old, epoch: epoch, names: names, lowerNames: lowerNames) else {
        wanted.insert(path)
        continue
      }
    }
    guard !wanted.isEmpty else { return nil }
    for path in wanted {
      var end = path.count
      while let slash = path[..<end].lastIndex(of: UInt8(ascii: "/")), wanted.insert(Array(path[..<slash])).inserted { end = slash }
    }
    paths = wanted.sorted(by: LayerOrder.ascends)
  }

  /// All names of each file, by its inode.
  private static func names(of tree: RootfsTree) -> [Int: Set<[UInt8]>] {
    var names: [Int: Set<[UInt8]>] = [:]
    for (path, node) in tree.nodes {
      if case .file(let inode) = node.kind { names[inode, default: []].insert(path) }
    }
    return names
  }

  /// A file that has got another name counts as another: a hard link cannot reach into a lower layer.
  private static func isSame(
    _ node: RootfsTree.Node, _ old: RootfsTree.Node, epoch: Int64, names: [Int: Set<[UInt8]>], lowerNames: [Int: Set<[UInt8]>]
  ) -> Bool {
    guard node.mode == old.mode, node.uid == old.uid, node.gid == old.gid, node.xattrs == old.xattrs,
      min(node.mtime, epoch) == min(old.mtime, epoch)
    else { return false }
    switch (node.kind, old.kind) {
    // Packages that give one path give it the same content, else there were no tree.
    case (.file(let inode), .file(let oldInode)): return names[inode] == lowerNames[oldInode]
    case (.directory, .directory), (.symlink, .symlink), (.device, .device): return true
    default: return false
    }
  }

  /// Writes all entries. Of several names of one file the first holds the bytes, the others link to it.
  func write(to layer: LayerWriter, epoch: Int64) throws {
    var written: [Int: [UInt8]] = [:]
    for path in paths {
      guard let node = tree.nodes[path] else { continue }
      func begin(_ kind: TarEntry.Kind) throws(OCIImageError) {
        try layer.begin(
          TarEntry(path: path, kind: kind, mode: node.mode, uid: node.uid, gid: node.gid, mtime: min(node.mtime, epoch), xattrs: node.xattrs))
      }
      switch node.kind {
      case .directory: try begin(.directory)
      case .symlink(let target): try begin(.symlink(target: target))
      case .device(let kind): try begin(kind)
      case .file(let inode):
        if let first = written[inode] {
          try begin(.hardlink(target: first))
        } else {
          written[inode] = path
          let content = tree.contents[inode]
          try begin(.file(size: content.extent.size))
          try layer.fill(content.extent.size) { try content.spool.read(into: $0, at: content.extent.offset + $1) }
        }
      }
    }
  }
}
