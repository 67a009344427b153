import BuildModel
import FoundationEssentials

import struct Crypto.SHA256

/// The file tree that an image's layers give when they are laid over each other, without its bytes.
package struct ImageTree: Sendable {
  package struct Entry: Hashable, Sendable {
    /// A hard link has the kind of the file it is.
    package var kind: Kind
    package var mode: UInt32
    package var uid: UInt32
    package var gid: UInt32
    package var mtime: Int64
    package var xattrs: [String: [UInt8]]
    /// The first of a file's names, which all its names share.
    package var firstName: [UInt8]
  }
  package enum Kind: Hashable, Sendable {
    case directory
    case file(size: Int64, digest: Digest)
    case symlink(target: [UInt8])
    case characterDevice(major: UInt32, minor: UInt32)
    case blockDevice(major: UInt32, minor: UInt32)
    case fifo
  }

  /// By path from the root, without the root itself.
  package private(set) var entries: [[UInt8]: Entry] = [:]
  /// How many entries each layer's tar has, lowest first.
  package private(set) var layerEntries: [Int] = []
  /// Bytes of each layer's tar.
  package private(set) var layerSizes: [Int64] = []

  /// Streams all layers; throws where one is not what the image's config names, or breaks off.
  ///
  /// Whiteouts take away what lower layers hold (image-spec layer.md); in the layer itself they stay out of the tree.
  package init(_ image: StoredImage) throws {
    for (number, layer) in image.layers.enumerated() {
      let part = try Part(layer)
      layerEntries.append(part.count)
      layerSizes.append(part.size)
      for path in part.opaque { remove(below: path) }
      for path in part.deleted {
        entries[path] = nil
        remove(below: path)
      }
      for (path, entry) in part.entries {
        // What stands in for a directory hides all that was in it.
        if case .directory = entry.kind {} else if case .directory? = entries[path]?.kind { remove(below: path) }
        var entry = entry
        // Files of two layers are two files, whatever their names.
        entry.firstName = Array("\(number)/".utf8) + entry.firstName
        entries[path] = entry
      }
    }
    nameLinks()
  }

  private mutating func remove(below path: [UInt8]) {
    let prefix = path.isEmpty ? [] : path + [UInt8(ascii: "/")]
    for key in entries.keys where key.starts(with: prefix) { entries[key] = nil }
  }

  /// A file whose first name was hidden by an upper layer goes by the next one.
  private mutating func nameLinks() {
    var first: [[UInt8]: [UInt8]] = [:]
    for (path, entry) in entries {
      if let known = first[entry.firstName], !LayerOrder.ascends(path, known) { continue }
      first[entry.firstName] = path
    }
    for (path, entry) in entries { entries[path]?.firstName = first[entry.firstName] ?? path }
  }

  /// One layer by itself.
  private struct Part {
    var entries: [[UInt8]: Entry] = [:]
    var deleted: [[UInt8]] = []
    var opaque: [[UInt8]] = []
    var count = 0
    var size: Int64 = 0

    init(_ layer: StoredImage.Layer) throws {
      final class Collector {
        var part: (entries: [[UInt8]: Entry], deleted: [[UInt8]], opaque: [[UInt8]], count: Int) = ([:], [], [], 0)
        var hash = SHA256()
        var current: [UInt8]?
        func endFile() {
          guard let path = current, case .file(let size, _)? = part.entries[path]?.kind, let digest = Digest(bytes: hash.finalize()) else { return }
          part.entries[path]?.kind = .file(size: size, digest: digest)
          current = nil
        }
      }
      let collector = Collector()
      let what = "layer \(layer.diffID)"
      let reader = TarReader(what: what) { tar in
        collector.endFile()
        collector.part.count += 1
        guard !tar.path.isEmpty else { return nil }
        let name = tar.path.split(separator: UInt8(ascii: "/")).last ?? []
        let parent = Array(tar.path.dropLast(name.count + (name.count < tar.path.count ? 1 : 0)))
        if name.elementsEqual(".wh..wh..opq".utf8) {
          collector.part.opaque.append(parent)
          return nil
        }
        if name.starts(with: ".wh.".utf8) {
          collector.part.deleted.append((parent.isEmpty ? [] : parent + [UInt8(ascii: "/")]) + name.dropFirst(4))
          return nil
        }
        var entry = Entry(
          kind: .directory, mode: tar.mode, uid: tar.uid, gid: tar.gid, mtime: tar.mtime, xattrs: tar.xattrs, firstName: tar.path)
        switch tar.kind {
        case .directory: break
        case .file(let size):
          collector.hash = SHA256()
          guard let empty = Digest(bytes: collector.hash.finalize()) else { throw OCIImageError.compression("no digest") }
          entry.kind = .file(size: size, digest: empty)
          collector.part.entries[tar.path] = entry
          collector.current = tar.path
          return { collector.hash.update(bufferPointer: $0) }
        case .symlink(let target): entry.kind = .symlink(target: target)
        case .hardlink(let target):
          guard let file = collector.part.entries[target] else {
            throw OCIImageError.malformed(
              what: what,
              reason:
                "'\(String(decoding: tar.path, as: UTF8.self))' is a hard link to '\(String(decoding: target, as: UTF8.self))', which is not in it")
          }
          entry = file
        case .characterDevice(let major, let minor): entry.kind = .characterDevice(major: major, minor: minor)
        case .blockDevice(let major, let minor): entry.kind = .blockDevice(major: major, minor: minor)
        case .fifo: entry.kind = .fifo
        }
        collector.part.entries[tar.path] = entry
        return nil
      }
      size = try layer.read { try reader.feed($0) }
      try reader.finish()
      collector.endFile()
      (entries, deleted, opaque, count) = collector.part
    }
  }
}
