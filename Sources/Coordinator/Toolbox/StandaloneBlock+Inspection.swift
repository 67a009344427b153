import BoundedConcurrency
import BuildModel
import FoundationEssentials
import OCIImage

/// What a block image is and holds.
package struct BlockInspection: Encodable, Sendable {
  package struct Layer: Encodable, Sendable {
    package var diffID: Digest
    /// Of a layout: the blob.
    package var digest: Digest?
    /// As it is stored.
    package var size: Int64
    /// Of the tar.
    package var unpackedSize: Int64
    package var entries: Int
  }
  package struct File: Encodable, Sendable {
    /// From the root, with `/` in front; bytes that are no UTF-8 are replaced.
    package var path: String
    /// `directory`, `file`, `symlink`, `character-device`, `block-device` or `fifo`.
    package var type: String
    /// Octal.
    package var mode: String
    package var uid: UInt32
    package var gid: UInt32
    package var mtime: Int64
    package var size: Int64?
    package var digest: Digest?
    package var target: String?
    /// `major:minor`.
    package var device: String?
    /// Another name of the same file.
    package var hardlinkOf: String?
    /// Values in hexadecimal.
    package var xattrs: [String: String]?
  }

  package var names: [String]
  /// Digest of the image configuration.
  package var id: Digest
  package var manifest: Digest?
  package var manifestType: String?
  package var platform: String
  package var created: String?
  package var labels: [String: String]
  package var layers: [Layer]
  /// Of all layers laid over each other.
  package var entries: Int
  /// From the lock beside the image; nil where there is none.
  package var packages: [BlockLock.Package]?
  package var compressor: String?
  /// In the order of a layer; only where they were asked for.
  package var files: [File]?

  /// Reads the image whole: every layer is checked against its digests.
  package static func inspect(_ block: StoredBlock, files: Bool) async throws(ToolboxError) -> BlockInspection {
    do {
      return try await BlockingWork.run { BlockInspection(block, tree: try ImageTree(block.image), files: files) }
    } catch { throw ToolboxError(error) }
  }

  init(_ block: StoredBlock, tree: ImageTree, files: Bool) {
    let image = block.image
    names = image.names
    id = image.id
    manifest = image.manifest?.digest
    manifestType = image.manifest?.mediaType
    platform = image.config.platform?.description ?? "unknown"
    created = image.config.created
    labels = image.config.labels
    layers = image.layers.enumerated().map { index, layer in
      Layer(
        diffID: layer.diffID, digest: layer.digest, size: layer.size, unpackedSize: tree.layerSizes[index], entries: tree.layerEntries[index])
    }
    entries = tree.entries.count
    packages = block.lock?.packages
    compressor = block.lock?.compressor
    guard files else { return }
    self.files = tree.entries.keys.sorted(by: LayerOrder.ascends).compactMap { path in tree.entries[path].map { File(path, $0) } }
  }
}

extension BlockInspection.File {
  init(_ path: [UInt8], _ entry: ImageTree.Entry) {
    func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
    self.path = "/" + text(path)
    mode = "0" + String(entry.mode, radix: 8)
    uid = entry.uid
    gid = entry.gid
    mtime = entry.mtime
    switch entry.kind {
    case .directory: type = "directory"
    case .file(let size, let digest):
      type = "file"
      self.size = size
      self.digest = digest
    case .symlink(let target):
      type = "symlink"
      self.target = text(target)
    case .characterDevice(let major, let minor):
      type = "character-device"
      device = "\(major):\(minor)"
    case .blockDevice(let major, let minor):
      type = "block-device"
      device = "\(major):\(minor)"
    case .fifo: type = "fifo"
    }
    if entry.firstName != path { hardlinkOf = "/" + text(entry.firstName) }
    if !entry.xattrs.isEmpty {
      xattrs = entry.xattrs.mapValues { value in value.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }
    }
  }
}
