import Feed
import OCIImage

/// Checks the entries of a delivered block's layers, lowest first: what ``BlockAssembler`` never writes is refused, so that the layers laid over each
/// other can only be the tree that they say.
struct LayerAudit {
  private enum Kind { case directory, file, symlink, device }

  private let allowsDevices: Bool
  /// Of all layers so far.
  private var union: [[UInt8]: Kind] = [:]
  /// Of the present layer.
  private var own: [[UInt8]: Kind] = [:]
  private var last: [UInt8]?

  init(allowsDevices: Bool) { self.allowsDevices = allowsDevices }

  mutating func beginLayer() {
    own = [:]
    last = nil
  }

  /// The rule that the present layer's next entry breaks, or nil.
  mutating func add(_ entry: TarEntry) -> String? {
    if let last, !LayerOrder.ascends(last, entry.path) { return "is out of order" }
    last = entry.path
    if let rule = LayerRules.violation(path: entry.path, xattrs: entry.xattrs) { return rule }
    let kind: Kind
    switch entry.kind {
    case .directory: kind = .directory
    case .file: kind = .file
    case .symlink: kind = .symlink
    case .hardlink(let target):
      guard own[target] == .file else { return "is a hard link to no earlier file of its layer" }
      kind = .file
    case .characterDevice(0, 0): return "deletes a file of lower layers"
    case .characterDevice, .blockDevice:
      guard allowsDevices else { return "is a device" }
      kind = .device
    case .fifo: return "is a pipe"
    }
    if let slash = entry.path.lastIndex(of: UInt8(ascii: "/")), own[Array(entry.path[..<slash])] != .directory { return "has no parent in its layer" }
    if let below = union[entry.path], below != kind { return "is of another kind than in the layer below" }
    own[entry.path] = kind
    union[entry.path] = kind
    return nil
  }
}
