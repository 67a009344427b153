import BuildModel

/// Builds a layer's tree from tar members, by the rules by which overlay2 unpacks them (reference: OCI image-spec, layer.md, "Whiteouts").
struct LayerTreeBuilder {
  private static let whiteout = Array(".wh.".utf8)
  private static let opaque = Array(".wh..wh..opq".utf8)
  private static let ignored = Array(".wh..wh.".utf8)
  /// With directories that no member lists.
  private static let mostNodes = 2_000_000

  private struct Place: Hashable {
    var parent: Int
    var name: [UInt8]
  }

  private(set) var tree: LayerTree
  private var index: [Place: Int] = [:]
  /// For each node whether a member has named it; the others are directories on the way to one.
  private var isListed: [Bool]
  /// The paths of members whose names begin with `.wh.`.
  private var marks: Set<[UInt8]> = []
  private var hidden: [(place: Place, attributes: LayerTree.Attributes)] = []
  /// Regular files so far.
  private var contents = 0
  /// Entries of one directory come one after the other.
  private var lastDirectory: (path: [UInt8], node: Int) = ([], 0)
  private let time: Int64

  /// Directories that no member lists get `time`.
  init(time: Int64) {
    self.time = time
    let root = LayerTree.Node(parent: 0, name: [], kind: .directory, attributes: .init(mode: 0o755, mtime: time))
    tree = LayerTree(nodes: [root])
    isListed = [false]
  }

  /// Adds a member; throws when it cannot be part of a layer. After the last one comes ``addWhiteouts()``.
  mutating func add(_ member: TarMember) throws(TarFault) {
    let entry = try member.entry()
    let content = contents
    if case .file = entry.kind { contents += 1 }
    guard let (directory, name) = LayerPath.split(entry.path) else {
      guard entry.kind == .directory else { throw TarFault("its root is not a directory") }
      return try describe(0, entry, member)
    }
    if name.starts(with: Self.whiteout) { return try mark(name, in: directory, entry, member) }
    let place = Place(parent: try directoryNode(directory, member), name: name)
    if let known = index[place] {
      guard entry.kind == .directory, tree.nodes[known].kind == .directory else { throw twice(member) }
      return try describe(known, entry, member)
    }
    let kind = try kind(of: entry, content, member)
    isListed[try append(place, kind, attributes(of: entry), xattrs(of: entry))] = true
  }

  private func twice(_ member: TarMember) -> TarFault { TarFault("it names \(member.quotedName) twice") }

  private mutating func kind(of entry: TarEntry, _ content: Int, _ member: TarMember) throws(TarFault) -> LayerTree.Kind {
    switch entry.kind {
    case .directory: return .directory
    case .file(let size): return .file(size: size, content: content)
    case .symlink(let target): return .symlink(target: target)
    case .hardlink(let target):
      guard let node = node(at: target) else {
        throw TarFault("\(member.quotedName) is a hard link to \(Printable.quoted(target)), which the layer does not have before it")
      }
      guard tree.nodes[node].kind != .directory else { throw TarFault("\(member.quotedName) is a hard link to a directory") }
      let first = if case .hardlink(let first) = tree.nodes[node].kind { first } else { node }
      describe(linked: first, entry)
      return .hardlink(node: first)
    case .characterDevice(let major, let minor): return .characterDevice(major: major, minor: minor)
    case .blockDevice(let major, let minor): return .blockDevice(major: major, minor: minor)
    case .fifo: return .fifo
    }
  }

  private func attributes(of entry: TarEntry) -> LayerTree.Attributes {
    .init(mode: UInt16(entry.mode & 0o7777), uid: entry.uid, gid: entry.gid, mtime: entry.mtime, nanoseconds: entry.nanoseconds)
  }

  /// A hard link's are the file's, which has them already. Engines do not set an attribute without a value.
  private func xattrs(of entry: TarEntry) -> [(name: String, value: [UInt8])] {
    if case .hardlink = entry.kind { return [] }
    return entry.xattrs.filter { !$0.value.isEmpty }.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  private mutating func append(
    _ place: Place, _ kind: LayerTree.Kind, _ attributes: LayerTree.Attributes, _ xattrs: [(name: String, value: [UInt8])]
  ) throws(TarFault) -> Int {
    let node = tree.nodes.count
    guard node < Self.mostNodes else { throw TarFault("it has more than \(Self.mostNodes) entries") }
    index[place] = node
    isListed.append(false)
    tree.nodes.append(LayerTree.Node(parent: place.parent, name: place.name, kind: kind, attributes: attributes, xattrs: xattrs))
    return node
  }

  // MARK: Whiteouts

  private mutating func mark(_ name: [UInt8], in directory: [UInt8], _ entry: TarEntry, _ member: TarMember) throws(TarFault) {
    guard marks.insert(entry.path).inserted else { throw twice(member) }
    if name == Self.opaque { return makeOpaque(try directoryNode(directory, member)) }
    // Other names of aufs, which its layers may hold and nobody else uses.
    if name.starts(with: Self.ignored) { return }
    let gone = Array(name[Self.whiteout.count...])
    guard !gone.isEmpty, gone != Array(".".utf8), gone != Array("..".utf8) else { throw TarFault("it has a whiteout without a name") }
    var attributes = attributes(of: entry)
    attributes.mode = 0
    hidden.append((Place(parent: try directoryNode(directory, member), name: gone), attributes))
  }

  private mutating func makeOpaque(_ directory: Int) {
    let others = tree.nodes[directory].xattrs.filter { $0.name != LayerTree.opaqueAttribute }
    tree.nodes[directory].xattrs = (others + [(LayerTree.opaqueAttribute, [UInt8(ascii: "y")])]).sorted { $0.name < $1.name }
  }

  /// Whiteouts come last: they hide what lower layers have and nothing of their own layer, wherever in it they stand. What their layer has at the
  /// same place stays, a directory without anything of lower layers in it.
  mutating func addWhiteouts() throws(TarFault) {
    for (place, attributes) in hidden {
      if let known = index[place] {
        if tree.nodes[known].kind == .directory { makeOpaque(known) }
      } else {
        _ = try append(place, .characterDevice(major: 0, minor: 0), attributes, [])
      }
    }
    hidden = []
  }

  // MARK: Attributes

  /// Gives a directory that was implied, or the root, what its own member says; an opaque mark stays.
  private mutating func describe(_ node: Int, _ entry: TarEntry, _ member: TarMember) throws(TarFault) {
    guard !isListed[node] else { throw twice(member) }
    isListed[node] = true
    let isOpaque = tree.nodes[node].isOpaque
    tree.nodes[node].attributes = attributes(of: entry)
    tree.nodes[node].xattrs = xattrs(of: entry)
    if isOpaque { makeOpaque(node) }
  }

  /// A further name says again what the file is, and the engine believes the last one: it changes the owner, by which a capability is lost, then the rest.
  private mutating func describe(linked node: Int, _ entry: TarEntry) {
    if case .symlink = tree.nodes[node].kind {
      tree.nodes[node].attributes.uid = entry.uid
      tree.nodes[node].attributes.gid = entry.gid
      return
    }
    tree.nodes[node].attributes = attributes(of: entry)
    let set = entry.xattrs.filter { !$0.value.isEmpty }
    let kept = tree.nodes[node].xattrs.filter { $0.name != "security.capability" && set[$0.name] == nil }
    tree.nodes[node].xattrs = (kept + set.map { (name: $0.key, value: $0.value) }).sorted { $0.name < $1.name }
  }

  // MARK: Places

  private func node(at path: [UInt8]) -> Int? {
    var node = 0
    for name in path.split(separator: LayerPath.slash) {
      guard let next = index[Place(parent: node, name: Array(name))] else { return nil }
      node = next
    }
    return node
  }

  /// The directory at `path`; it and its parents are made when no member has listed them yet.
  private mutating func directoryNode(_ path: [UInt8], _ member: TarMember) throws(TarFault) -> Int {
    if path == lastDirectory.path { return lastDirectory.node }
    var node = 0
    for name in path.split(separator: LayerPath.slash) {
      let place = Place(parent: node, name: Array(name))
      if let known = index[place] { node = known } else { node = try append(place, .directory, .init(mode: 0o755, mtime: time), []) }
      guard tree.nodes[node].kind == .directory else { throw TarFault("\(member.quotedName) lies below something that is not a directory") }
    }
    lastDirectory = (path, node)
    return node
  }
}
