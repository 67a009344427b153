import BuildModel
import Feed
import Glibc
import OCIImage

import struct Crypto.SHA256

/// Files, modes and owners gathered for a block before they become a layer.
struct RootfsTree {
  struct Node {
    var package: PackageName
    var kind: Kind
    var mode: UInt32
    var uid: UInt32
    var gid: UInt32
    var mtime: Int64
    var xattrs: [String: [UInt8]]

    enum Kind {
      case directory
      /// All names of one file share its `inode`.
      case file(inode: Int)
      case symlink(target: [UInt8])
      case device(TarEntry.Kind)
    }
  }
  struct Content {
    var spool: ContentSpool
    var extent: ContentSpool.Extent
  }

  let block: BlockName
  let allowsDevices: Bool
  private(set) var nodes: [[UInt8]: Node] = [:]
  private(set) var contents: [Content] = []

  /// The tree of these packages, in this order, closed.
  init(_ block: BlockSpec, packages: [UnpackedPackage], epoch: Int64) throws {
    self.block = block.name
    allowsDevices = block.allowsDevices
    for package in packages { try add(package) }
    try close(epoch: epoch)
  }

  /// Adds a package. A directory may repeat (the first package's attributes stay); a file that is there already must be the same in every respect but its time.
  private mutating func add(_ package: UnpackedPackage) throws {
    var own: [[UInt8]: Int] = [:]
    for item in package.entries where !item.entry.path.isEmpty {
      let entry = item.entry
      if let rule = LayerRules.violation(of: entry, allowsDevices: allowsDevices) {
        throw BlocksError.refused(block: block, package: package.item.name, path: entry.pathText, rule: rule)
      }
      let node: Node
      func made(_ kind: Node.Kind) -> Node {
        Node(
          package: package.item.name, kind: kind, mode: entry.mode, uid: entry.uid, gid: entry.gid, mtime: entry.mtime, xattrs: entry.xattrs)
      }
      switch entry.kind {
      case .directory: node = made(.directory)
      case .symlink(let target): node = made(.symlink(target: target))
      case .characterDevice(let major, let minor): node = made(.device(.characterDevice(major: major, minor: minor)))
      case .blockDevice(let major, let minor): node = made(.device(.blockDevice(major: major, minor: minor)))
      case .file:
        guard let extent = item.extent else { continue }
        contents.append(Content(spool: package.spool, extent: extent))
        node = made(.file(inode: contents.count - 1))
      case .hardlink(let target):
        guard let inode = own[target], let first = nodes[target] else {
          throw BlocksError.refused(
            block: block, package: package.item.name, path: entry.pathText,
            rule: "hard link to '\(String(decoding: target, as: UTF8.self))', which is no earlier file of the package")
        }
        var same = first
        same.kind = .file(inode: inode)
        same.package = package.item.name
        node = same
      }
      try insert(node, at: entry.path)
      // Where another package brought the same file first, its content is the one that links join.
      if case .file(let inode) = nodes[entry.path]?.kind { own[entry.path] = inode }
    }
  }

  private mutating func insert(_ node: Node, at path: [UInt8]) throws {
    guard let old = nodes[path] else {
      nodes[path] = node
      return
    }
    func conflict(_ reason: String) -> BlocksError {
      .conflict(block: block, path: String(decoding: path, as: UTF8.self), first: old.package, second: node.package, reason: reason)
    }
    if case .directory = old.kind, case .directory = node.kind { return }
    if old.package == node.package {
      throw BlocksError.refused(block: block, package: node.package, path: String(decoding: path, as: UTF8.self), rule: "the path is given twice")
    }
    switch (old.kind, node.kind) {
    case (.symlink(let a), .symlink(let b)):
      guard a == b else { throw conflict("links to different targets") }
    case (.file(let a), .file(let b)):
      guard old.mode == node.mode, old.uid == node.uid, old.gid == node.gid, old.xattrs == node.xattrs else {
        throw conflict("same path, other mode, owner or attributes")
      }
      guard try sameContent(contents[a], contents[b]) else { throw conflict("same path, other content") }
    case (.device(let a), .device(let b)):
      guard a == b, old.mode == node.mode, old.uid == node.uid, old.gid == node.gid, old.xattrs == node.xattrs else {
        throw conflict("same path, other device, mode, owner or attributes")
      }
    default: throw conflict("same path, other kind of entry")
    }
  }

  private func sameContent(_ a: Content, _ b: Content) throws -> Bool {
    a.extent.size == b.extent.size ? try digest(a) == digest(b) : false
  }

  private func digest(_ content: Content) throws -> Digest? {
    var hash = SHA256()
    try content.spool.read(content.extent) { hash.update(bufferPointer: $0) }
    return Digest(bytes: hash.finalize())
  }

  /// Directories that are implied but not listed are added (0755, root), and a parent that is no directory is refused: it would be written through.
  private mutating func close(epoch: Int64) throws {
    for (path, node) in nodes.sorted(by: { LayerOrder.ascends($0.key, $1.key) }) {
      var end = path.count
      while let slash = path[..<end].lastIndex(of: UInt8(ascii: "/")) {
        let parent = Array(path[..<slash])
        end = slash
        if let found = nodes[parent] {
          guard case .directory = found.kind else {
            throw BlocksError.refused(
              block: block, package: node.package, path: String(decoding: path, as: UTF8.self),
              rule: "its parent '/\(String(decoding: parent, as: UTF8.self))' is no directory but comes from package \(found.package)")
          }
        } else {
          nodes[parent] = Node(package: node.package, kind: .directory, mode: 0o755, uid: 0, gid: 0, mtime: epoch, xattrs: [:])
        }
      }
    }
  }
}
