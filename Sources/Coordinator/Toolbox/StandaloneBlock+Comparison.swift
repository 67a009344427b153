import BoundedConcurrency
import BuildModel
import FoundationEssentials
import OCIImage

/// In what two block images differ.
package struct BlockComparison: Encodable, Sendable {
  package enum Change: String, Encodable, Sendable { case added, removed, changed }
  package struct Difference: Encodable, Sendable {
    /// `image`, `label`, `package` or `entry`.
    package var area: String
    /// Name of the property, label, package or path.
    package var name: String
    package var change: Change
    /// Of a change: each property with its old and new value.
    package var details: [Detail]
  }
  package struct Detail: Encodable, Sendable {
    package var property: String
    package var first: String?
    package var second: String?
  }

  /// Empty: the images are the same.
  package var differences: [Difference]

  /// Reads both images whole.
  package static func compare(_ first: StoredBlock, _ second: StoredBlock) async throws(ToolboxError) -> BlockComparison {
    do {
      return try await BlockingWork.run {
        BlockComparison(first, try ImageTree(first.image), second, try ImageTree(second.image))
      }
    } catch { throw ToolboxError(error) }
  }

  private init(_ first: StoredBlock, _ firstTree: ImageTree, _ second: StoredBlock, _ secondTree: ImageTree) {
    differences = []
    let (a, b) = (first.image, second.image)
    image("id", a.id.description, b.id.description)
    // An archive has no manifest, and another kind of manifest is no other image.
    if let one = a.manifest, let other = b.manifest, one.mediaType == other.mediaType {
      image("manifest", one.digest.description, other.digest.description)
    }
    image("platform", a.config.platform?.description, b.config.platform?.description)
    image("created", a.config.created, b.config.created)
    image("layers", a.layers.map(\.diffID.description).joined(separator: " "), b.layers.map(\.diffID.description).joined(separator: " "))
    collect("label", a.config.labels, b.config.labels) { [Detail(property: "value", first: $0, second: $1)] }
    if let one = first.lock, let other = second.lock {
      image("compressor", one.compressor, other.compressor)
      image("epoch", "\(one.sourceDateEpoch)", "\(other.sourceDateEpoch)")
      collect("package", Self.byName(one), Self.byName(other), details: Self.package)
    }
    for path in Set(firstTree.entries.keys).union(secondTree.entries.keys).sorted(by: LayerOrder.ascends) {
      let (one, other) = (firstTree.entries[path], secondTree.entries[path])
      if one == other { continue }
      add("entry", "/" + String(decoding: path, as: UTF8.self), one, other) { Self.entry($0, $1, path: path) }
    }
  }

  private mutating func image(_ name: String, _ first: String?, _ second: String?) {
    if first == second { return }
    differences.append(Difference(area: "image", name: name, change: .changed, details: [Detail(property: name, first: first, second: second)]))
  }

  private mutating func collect<Value: Equatable>(
    _ area: String, _ first: [String: Value], _ second: [String: Value], details: (Value, Value) -> [Detail]
  ) {
    for name in Set(first.keys).union(second.keys).sorted() where first[name] != second[name] {
      add(area, name, first[name], second[name], details: details)
    }
  }

  private mutating func add<Value>(_ area: String, _ name: String, _ first: Value?, _ second: Value?, details: (Value, Value) -> [Detail]) {
    if let first, let second {
      differences.append(Difference(area: area, name: name, change: .changed, details: details(first, second)))
    } else {
      differences.append(Difference(area: area, name: name, change: first == nil ? .added : .removed, details: []))
    }
  }

  private static func byName(_ lock: BlockLock) -> [String: BlockLock.Package] {
    Dictionary(lock.packages.map { ($0.name.text, $0) }, uniquingKeysWith: { first, _ in first })
  }

  private static func package(_ first: BlockLock.Package, _ second: BlockLock.Package) -> [Detail] {
    [
      Detail(property: "version", first: first.version, second: second.version),
      Detail(property: "architecture", first: first.architecture, second: second.architecture),
      Detail(property: "digest", first: first.digest.description, second: second.digest.description),
      Detail(property: "listed as", first: names(first), second: names(second)),
    ].filter { $0.first != $0.second }
  }

  private static func names(_ package: BlockLock.Package) -> String { package.listed.map(\.text).joined(separator: " ") }

  private static func entry(_ first: ImageTree.Entry, _ second: ImageTree.Entry, path: [UInt8]) -> [Detail] {
    let (a, b) = (BlockInspection.File(path, first), BlockInspection.File(path, second))
    func attributes(_ file: BlockInspection.File) -> String? {
      file.xattrs.map { $0.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " ") }
    }
    return [
      Detail(property: "type", first: a.type, second: b.type), Detail(property: "mode", first: a.mode, second: b.mode),
      Detail(property: "owner", first: "\(a.uid):\(a.gid)", second: "\(b.uid):\(b.gid)"),
      Detail(property: "mtime", first: "\(a.mtime)", second: "\(b.mtime)"),
      Detail(property: "size", first: a.size.map { "\($0)" }, second: b.size.map { "\($0)" }),
      Detail(property: "content", first: a.digest?.description, second: b.digest?.description),
      Detail(property: "target", first: a.target, second: b.target), Detail(property: "device", first: a.device, second: b.device),
      Detail(property: "hard link of", first: a.hardlinkOf, second: b.hardlinkOf),
      Detail(property: "attributes", first: attributes(a), second: attributes(b)),
    ].filter { $0.first != $0.second }
  }
}
