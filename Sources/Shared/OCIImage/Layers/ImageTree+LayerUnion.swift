import BuildModel

/// Layers laid over each other as overlayfs shows them (kernel documentation, overlayfs).
struct LayerUnion {
  /// One file, device or link, whatever its names.
  private struct Inode: Hashable {
    var layer: Int
    var node: Int
  }

  private struct Node {
    var inode: Inode
    var entry: ImageTree.Entry
    /// Of a directory, by name.
    var children: [[UInt8]: Int] = [:]
  }

  private var layers = 0
  /// The root is the first one. Nodes that were hidden stay unreferred to.
  private var nodes: [Node]

  init() {
    let root = ImageTree.Entry(kind: .directory, mode: 0o755, uid: 0, gid: 0, mtime: 0, xattrs: [:], firstName: [])
    nodes = [Node(inode: Inode(layer: 0, node: 0), entry: root)]
  }

  /// Lays a layer over what is there. `contents` has a digest for each regular file of the layer.
  mutating func lay(_ tree: LayerTree, contents: [Digest]) {
    /// Where the layer's nodes are in the union.
    var places: [Int: Int] = [:]
    for (number, node) in tree.nodes.enumerated() {
      guard number > 0 else {
        // The roots of all layers are merged: overlayfs heeds no opaque mark on them, so neither do devices.
        places[0] = 0
        continue
      }
      guard let parent = places[node.parent] else { continue }
      if node.isWhiteout {
        nodes[parent].children[node.name] = nil
        continue
      }
      var inode = Inode(layer: layers, node: number)
      var content = node
      if case .hardlink(let first) = node.kind {
        inode.node = first
        content = tree.nodes[first]
      }
      var made = Node(inode: inode, entry: Self.entry(content, contents))
      if case .directory = node.kind, !node.isOpaque, let below = nodes[parent].children[node.name], nodes[below].entry.kind == .directory {
        made.children = nodes[below].children
      }
      places[number] = nodes.count
      nodes[parent].children[node.name] = nodes.count
      nodes.append(made)
    }
    layers += 1
  }

  private static func entry(_ node: LayerTree.Node, _ contents: [Digest]) -> ImageTree.Entry {
    let kind: ImageTree.Kind
    switch node.kind {
    case .file(let size, let content): kind = .file(size: size, digest: contents[content])
    case .symlink(let target): kind = .symlink(target: target)
    case .characterDevice(let major, let minor): kind = .characterDevice(major: major, minor: minor)
    case .blockDevice(let major, let minor): kind = .blockDevice(major: major, minor: minor)
    case .fifo: kind = .fifo
    // A hard link stands for the node that it names.
    case .directory, .hardlink: kind = .directory
    }
    let attributes = node.attributes
    let xattrs = node.xattrs.filter { $0.name != LayerTree.opaqueAttribute }
    return ImageTree.Entry(
      kind: kind, mode: UInt32(attributes.mode), uid: attributes.uid, gid: attributes.gid, mtime: attributes.mtime,
      xattrs: Dictionary(xattrs.map { ($0.name, $0.value) }) { $1 }, firstName: [])
  }

  /// All paths together may have so many bytes: deep ones are long, and each directory on the way is an entry.
  private static let pathsLimit = 512 << 20

  /// Everything that can be seen, by path.
  func entries() throws(TarFault) -> [[UInt8]: ImageTree.Entry] {
    var left = Self.pathsLimit
    var found: [[UInt8]: ImageTree.Entry] = [:]
    var inodes: [[UInt8]: Inode] = [:]
    var first: [Inode: [UInt8]] = [:]
    var open: [(node: Int, path: [UInt8])] = [(0, [])]
    while let (node, path) = open.popLast() {
      for (name, child) in nodes[node].children {
        let place = path.isEmpty ? name : path + [LayerPath.slash] + name
        left -= place.count
        guard left >= 0 else { throw TarFault("its paths have more than \(Self.pathsLimit >> 20) MiB together") }
        let inode = nodes[child].inode
        found[place] = nodes[child].entry
        inodes[place] = inode
        if first[inode].map({ LayerOrder.ascends(place, $0) }) ?? true { first[inode] = place }
        if case .directory = nodes[child].entry.kind { open.append((child, place)) }
      }
    }
    for (place, inode) in inodes { found[place]?.firstName = first[inode] ?? place }
    return found
  }
}
