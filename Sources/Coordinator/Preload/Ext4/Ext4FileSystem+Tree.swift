import CExt2FS
import Glibc
import OCIImage

extension Ext4FileSystem {
  /// What was written.
  struct TreeCount {
    var files = 0
    var bytes: Int64 = 0
  }

  /// Writes a layer's tree as the new directory `name` in `directory`; `path` is that directory, for messages.
  func write(_ layer: UnpackedLayer, as name: String, in directory: Inode, path: String, now: Int64) throws(PreloadError) -> TreeCount {
    let tree = layer.tree
    let source = try MappedFile(layer.spool)
    var inodes = [Inode](repeating: 0, count: tree.nodes.count)
    var entries: [Int: [DirectoryEntry]] = [:]
    var links = [Int](repeating: 1, count: tree.nodes.count)
    for (index, node) in tree.nodes.enumerated() {
      switch node.kind {
      case .directory:
        links[index] += 1
        if index > 0 { links[node.parent] += 1 }
      case .hardlink(let target): links[target] += 1
      default: break
      }
    }
    var count = TreeCount()
    for (index, node) in tree.nodes.enumerated() {
      let parent = index == 0 ? directory : inodes[node.parent]
      let place = "\(path)/\(name)/…/\(String(decoding: node.name, as: UTF8.self))"
      if case .hardlink(let target) = node.kind {
        inodes[index] = inodes[target]
      } else {
        guard node.kind == .directory || links[index] < 65000 else { throw .write(path: place, reason: "has more names than ext4 can count") }
        inodes[index] = try write(node, runs: layer.runs(of: node), near: parent, links: links[index], from: source.bytes, now: now, place)
      }
      if case .file(let size, _) = node.kind { count.bytes += size }
      count.files += 1
      if index > 0 {
        entries[node.parent, default: []].append(DirectoryEntry(name: node.name, inode: inodes[index], kind: entryKind(of: node, in: tree)))
      }
    }
    for (index, node) in tree.nodes.enumerated() where node.kind == .directory {
      let place = "\(path)/\(name)/…/\(String(decoding: node.name, as: UTF8.self))"
      var record = try read(inodes[index], place)
      let parent = index == 0 ? directory : inodes[node.parent]
      try fillDirectory(inodes[index], &record, parent: parent, entries: entries[index] ?? [], place)
      try write(inodes[index], &record, place)
    }
    try link(DirectoryEntry(name: Array(name.utf8), inode: inodes[0], kind: .directory), in: directory, path)
    return count
  }

  private func entryKind(of node: LayerTree.Node, in tree: LayerTree) -> DirectoryEntry.Kind {
    switch node.kind {
    case .directory: .directory
    case .file: .file
    case .symlink: .symlink
    case .characterDevice: .characterDevice
    case .blockDevice: .blockDevice
    case .fifo: .fifo
    case .hardlink(let target): entryKind(of: tree.nodes[target], in: tree)
    }
  }

  /// Makes a node's inode with its content; a directory's entries come later, when the inodes of all of them are known.
  private func write(
    _ node: LayerTree.Node, runs: [SpooledRun], near parent: Inode, links: Int, from source: UnsafeRawBufferPointer, now: Int64, _ path: String
  ) throws(PreloadError) -> Inode {
    let inode: Inode
    switch node.kind {
    case .symlink(let target):
      inode = try newSymlink(near: parent, target, node.attributes, links: links, now: now, path)
    case .file(let size, _):
      inode = try allocate(near: parent, format: Self.fileFormat, path)
      var record = record(format: Self.fileFormat, node.attributes, links: links, now: now)
      record.i_size = UInt32(truncatingIfNeeded: size)
      record.i_size_high = UInt32(truncatingIfNeeded: size >> 32)
      try writeNew(inode, &record, path)
      if !runs.isEmpty {
        try fill(inode, &record, runs: runs, of: source, path)
        try write(inode, &record, path)
      }
    case .directory: inode = try make(Self.directoryFormat, node, near: parent, links: links, now: now, path)
    case .fifo: inode = try make(Self.fifoFormat, node, near: parent, links: links, now: now, path)
    case .characterDevice(let major, let minor):
      inode = try make(Self.characterFormat, node, near: parent, links: links, now: now, device: (major, minor), path)
    case .blockDevice(let major, let minor):
      inode = try make(Self.blockFormat, node, near: parent, links: links, now: now, device: (major, minor), path)
    case .hardlink: throw .write(path: path, reason: "is a name of another entry")
    }
    try setXattrs(inode, node.xattrs, path)
    return inode
  }

  private func make(
    _ format: UInt16, _ node: LayerTree.Node, near parent: Inode, links: Int, now: Int64, device: (UInt32, UInt32)? = nil, _ path: String
  ) throws(PreloadError) -> Inode {
    let inode = try allocate(near: parent, format: format, path)
    var record = record(format: format, node.attributes, links: links, now: now)
    if let device { Self.setDevice(&record, major: device.0, minor: device.1) }
    try writeNew(inode, &record, path)
    return inode
  }
}

/// A scratch file in memory.
struct MappedFile: ~Copyable {
  let bytes: UnsafeRawBufferPointer

  init(_ path: String) throws(PreloadError) {
    let file = try DiskFile(path, .read)
    let size = Int(try file.size())
    guard size > 0 else {
      bytes = UnsafeRawBufferPointer(start: nil, count: 0)
      return
    }
    guard let start = mmap(nil, size, PROT_READ, MAP_PRIVATE, file.descriptor, 0), start != MAP_FAILED else { throw file.failed("map") }
    madvise(start, size, MADV_SEQUENTIAL)
    bytes = UnsafeRawBufferPointer(start: start, count: size)
  }

  deinit { if let start = bytes.baseAddress { munmap(UnsafeMutableRawPointer(mutating: start), bytes.count) } }
}
