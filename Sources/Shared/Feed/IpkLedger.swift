/// The paths that a package's entries have taken so far: none twice, none written through something that is no directory.
///
/// Holds for each entry by itself, whatever the packages around it; what two packages may do to each other is for whoever lays them together.
struct IpkLedger {
  private enum Taken {
    case directory
    /// No entry of its own, but something lies below it.
    case impliedDirectory
    case file
    case symlink
    case device
  }

  private var taken: [[UInt8]: Taken] = [:]
  private var lastParent: [UInt8] = []
  private var names = 0
  private let limits: IpkLimits

  init(limits: IpkLimits) { self.limits = limits }

  /// The rule that the entry breaks, or nil when it is taken in.
  mutating func add(_ entry: IpkEntry) -> String? {
    names += entry.path.count + entry.xattrs.reduce(0) { $0 + $1.key.utf8.count + $1.value.count }
    switch entry.kind {
    case .symlink(let target), .hardlink(let target): names += target.count
    case .directory, .file, .characterDevice, .blockDevice: break
    }
    guard names <= limits.names else { return "names and attributes of more than \(limits.names >> 20) MiB" }
    if entry.path.isEmpty { return nil }
    if let rule = enterParents(of: entry.path) { return rule }
    let old = taken[entry.path]
    switch entry.kind {
    case .directory:
      guard old == nil || old == .directory || old == .impliedDirectory else { return "the path is given twice" }
    default:
      if old == .impliedDirectory { return "other entries lie below it, so that they would be written through it" }
      if old != nil { return "the path is given twice" }
    }
    switch entry.kind {
    case .directory: taken[entry.path] = .directory
    case .file: taken[entry.path] = .file
    case .symlink: taken[entry.path] = .symlink
    case .characterDevice, .blockDevice: taken[entry.path] = .device
    case .hardlink(let target):
      guard taken[target] == .file else {
        return "hard link to '\(String(decoding: target, as: UTF8.self))', which is no earlier file of the package"
      }
      taken[entry.path] = .file
    }
    return nil
  }

  private mutating func enterParents(of path: [UInt8]) -> String? {
    guard let slash = path.lastIndex(of: UInt8(ascii: "/")) else { return nil }
    // Entries of one directory mostly follow each other.
    if path[..<slash].elementsEqual(lastParent) { return nil }
    var end = path.startIndex
    while let next = path[end...].firstIndex(of: UInt8(ascii: "/")) {
      let parent = Array(path[..<next])
      switch taken[parent] {
      case nil: taken[parent] = .impliedDirectory
      case .directory, .impliedDirectory: break
      case .file: return "its parent '\(String(decoding: parent, as: UTF8.self))' is no directory but a file"
      case .symlink: return "its parent '\(String(decoding: parent, as: UTF8.self))' is no directory but a symbolic link"
      case .device: return "its parent '\(String(decoding: parent, as: UTF8.self))' is no directory but a device"
      }
      end = next + 1
    }
    lastParent = Array(path[..<slash])
    return nil
  }
}
