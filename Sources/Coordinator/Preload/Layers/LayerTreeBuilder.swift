/// Builds a layer's tree from tar members, by the rules by which overlay2 unpacks them (reference: OCI image-spec, layer.md, "Whiteouts").
struct LayerTreeBuilder {
  private static let whiteout = Array(".wh.".utf8)
  private static let opaque = Array(".wh..wh..opq".utf8)
  private static let ignored = Array(".wh..wh.".utf8)
  static let mostNodes = 2_000_000
  private static let deepest = 512

  private(set) var tree: LayerTree
  /// Node by path without leading `/`; the root is the empty path.
  private var index: [[UInt8]: Int] = [[]: 0]
  /// The paths that members have named, whiteouts under their own names.
  private var listed: Set<[UInt8]> = []
  private let time: Int64

  /// Directories that no member lists get `time`.
  init(time: Int64) {
    self.time = time
    let root = LayerTree.Node(parent: 0, name: [], kind: .directory, attributes: Attributes(mode: 0o755, mtime: time))
    tree = LayerTree(nodes: [root])
  }

  /// Adds a member; throws the reason when it cannot be part of a layer.
  mutating func add(_ member: TarMember, runs: [LayerTree.Run]) throws(LayerFault) {
    let path = try Self.clean(member.name, of: member)
    guard listed.insert(path).inserted else { throw LayerFault("names \(member.quotedName) twice") }
    guard let name = path.last.map({ _ in Self.lastComponent(path) }) else {
      guard member.kind == .directory else { throw LayerFault("the root is not a directory") }
      describe(0, member)
      return
    }
    let directory = Array(path[..<max(0, path.count - name.count - 1)])
    if name == Self.opaque {
      let parent = try directoryNode(directory, member)
      tree.nodes[parent].xattrs.removeAll { $0.name == "trusted.overlay.opaque" }
      tree.nodes[parent].xattrs.append(("trusted.overlay.opaque", [UInt8(ascii: "y")]))
      return
    }
    if name.starts(with: Self.ignored) { return }
    let parent = try directoryNode(directory, member)
    if name.starts(with: Self.whiteout) {
      let hidden = Array(name[Self.whiteout.count...])
      guard !hidden.isEmpty, hidden != [46], hidden != [46, 46] else { throw LayerFault("has a whiteout without a name") }
      var attributes = member.attributes
      attributes.mode = 0
      try append(
        path: directory + (directory.isEmpty ? [] : [47]) + hidden, parent: parent, name: hidden,
        kind: .characterDevice(major: 0, minor: 0), attributes, [], member)
      return
    }
    if member.kind == .directory, let known = index[path] {
      guard tree.nodes[known].kind == .directory else { throw LayerFault("names \(member.quotedName) twice") }
      describe(known, member)
      return
    }
    var attributes = member.attributes
    let kind: LayerTree.Kind
    switch member.kind {
    case .directory: kind = .directory
    case .file(let size): kind = .file(size: size, runs: runs)
    case .symlink(let target):
      guard !target.isEmpty, target.count < 4096 else { throw LayerFault("symbolic link \(member.quotedName) has an impossible target") }
      kind = .symlink(target: target)
      attributes.mode = 0o777
    case .hardlink(let target):
      guard let node = index[try Self.clean(target, of: member)] else {
        throw LayerFault("\(member.quotedName) is a link to an entry that the layer does not have before it")
      }
      guard tree.nodes[node].kind != .directory else { throw LayerFault("\(member.quotedName) is a hard link to a directory") }
      let first = if case .hardlink(let first) = tree.nodes[node].kind { first } else { node }
      describe(linked: first, member)
      kind = .hardlink(node: first)
    case .characterDevice(let major, let minor): kind = .characterDevice(major: major, minor: minor)
    case .blockDevice(let major, let minor): kind = .blockDevice(major: major, minor: minor)
    case .fifo: kind = .fifo
    }
    if case .hardlink = kind {
      try append(path: path, parent: parent, name: name, kind: kind, attributes, [], member)
    } else {
      try append(path: path, parent: parent, name: name, kind: kind, attributes, member.xattrs, member)
    }
  }

  private mutating func append(
    path: [UInt8], parent: Int, name: [UInt8], kind: LayerTree.Kind, _ attributes: Attributes, _ xattrs: [(name: String, value: [UInt8])],
    _ member: TarMember
  ) throws(LayerFault) {
    guard index[path] == nil else { throw LayerFault("names \(member.quotedName) twice") }
    guard tree.nodes.count < Self.mostNodes else { throw LayerFault("has more than \(Self.mostNodes) entries") }
    index[path] = tree.nodes.count
    tree.nodes.append(LayerTree.Node(parent: parent, name: name, kind: kind, attributes: attributes, xattrs: xattrs))
  }

  /// Gives a directory that was implied, or the root, what its own member says; an opaque mark stays.
  private mutating func describe(_ node: Int, _ member: TarMember) {
    tree.nodes[node].attributes = member.attributes
    let kept = tree.nodes[node].xattrs.filter { old in !member.xattrs.contains { $0.name == old.name } }
    tree.nodes[node].xattrs = member.xattrs + kept
  }

  /// A further name says again what the file is, and the engine believes the last one: it changes the owner, by which a capability is lost, then the rest.
  private mutating func describe(linked node: Int, _ member: TarMember) {
    if case .symlink = tree.nodes[node].kind {
      tree.nodes[node].attributes.uid = member.attributes.uid
      tree.nodes[node].attributes.gid = member.attributes.gid
      return
    }
    tree.nodes[node].attributes = member.attributes
    let kept = tree.nodes[node].xattrs.filter { old in
      old.name != "security.capability" && !member.xattrs.contains { $0.name == old.name }
    }
    tree.nodes[node].xattrs = kept + member.xattrs
  }

  /// The directory at `path`; it and its parents are made when no member has listed them yet.
  private mutating func directoryNode(_ path: [UInt8], _ member: TarMember) throws(LayerFault) -> Int {
    if let known = index[path] {
      guard tree.nodes[known].kind == .directory else { throw LayerFault("\(member.quotedName) lies below something that is not a directory") }
      return known
    }
    let name = Self.lastComponent(path)
    let parent = try directoryNode(Array(path[..<max(0, path.count - name.count - 1)]), member)
    try append(path: path, parent: parent, name: name, kind: .directory, Attributes(mode: 0o755, mtime: time), [], member)
    return tree.nodes.count - 1
  }

  private static func lastComponent(_ path: [UInt8]) -> [UInt8] {
    path.lastIndex(of: 47).map { Array(path[($0 + 1)...]) } ?? path
  }

  /// The path without empty and `.` components; `..` is refused, it has no business in a layer.
  private static func clean(_ name: [UInt8], of member: TarMember) throws(LayerFault) -> [UInt8] {
    var path: [UInt8] = []
    var depth = 0
    for component in name.split(separator: 47) where component != [46] {
      guard component != [46, 46] else { throw LayerFault("\(member.quotedName) leads out of the layer with '..'") }
      guard component.count <= 255, !component.contains(0) else { throw LayerFault("\(member.quotedName) has an impossible component") }
      if !path.isEmpty { path.append(47) }
      path += component
      depth += 1
    }
    guard path.count <= 4096, depth <= deepest else { throw LayerFault("has a path of \(path.count) bytes and \(depth) levels") }
    return path
  }
}

/// Why a layer is refused; the layer's digest is added by whoever reads it.
struct LayerFault: Error {
  let reason: String
  init(_ reason: String) { self.reason = reason }
}
