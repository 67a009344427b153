import BuildModel

/// Paths of a layer's entries: bytes between slashes.
enum LayerPath {
  static let slash = UInt8(ascii: "/")
  private static let deepest = 512

  /// The path without `/` at either end, empty and `.` components. `..` is refused: it has no business in a layer.
  static func clean(_ name: [UInt8]) throws(TarFault) -> [UInt8] {
    var path: [UInt8] = []
    var depth = 0
    for component in name.split(separator: slash) where !component.elementsEqual(".".utf8) {
      guard !component.elementsEqual("..".utf8) else { throw TarFault("\(Printable.quoted(name)) leads out of the layer with '..'") }
      guard component.count <= 255 else { throw TarFault("\(Printable.quoted(name)) has a component of \(Counted(component.count, "byte"))") }
      if !path.isEmpty { path.append(slash) }
      path += component
      depth += 1
    }
    guard path.count < 4096, depth <= deepest else {
      throw TarFault("it has a path of \(Counted(path.count, "byte")) and \(Counted(depth, "level"))")
    }
    return path
  }

  /// The directory that a path lies in, and its last component; nil for the root.
  static func split(_ path: [UInt8]) -> (directory: [UInt8], name: [UInt8])? {
    guard !path.isEmpty else { return nil }
    guard let end = path.lastIndex(of: slash) else { return ([], path) }
    return (Array(path[..<end]), Array(path[(end + 1)...]))
  }
}
