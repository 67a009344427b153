import Glibc

/// The members of a plain tar file by name, found by stepping from header to header.
struct TarIndex {
  enum Member: Hashable {
    case file(offset: Int64, size: Int64)
    /// Another member's path: of a symbolic link already resolved against its directory.
    case link(to: String)
  }

  private static let limit = 20_000

  let path: String
  private(set) var members: [String: Member] = [:]

  init(path: String) throws(OCIImageError) {
    self.path = path
    let file = try InputFile(path: path)
    var reader = TarHeaderReader(what: path)
    var offset: Int64 = 0
    scan: while offset < file.size {
      let block = try file.bytes(at: offset, count: TarHeader.blockSize)
      offset += Int64(TarHeader.blockSize)
      switch try reader.take(block) {
      case .zeros: break scan
      case .extended(let size):
        try reader.takeExtension(try file.bytes(at: offset, count: size))
        offset += Int64(size + TarHeader.padding(after: Int64(size)))
      case .entry(let entry):
        let name = String(decoding: entry.path, as: UTF8.self)
        switch entry.kind {
        case .file(let size):
          guard size <= file.size - offset else { throw .malformed(what: path, reason: "member '\(name)' is cut off") }
          try add(name, .file(offset: offset, size: size))
          offset += size + Int64(TarHeader.padding(after: size))
        case .hardlink(let target): try add(name, .link(to: String(decoding: target, as: UTF8.self)))
        case .symlink(let target): try add(name, .link(to: try Self.resolve(String(decoding: target, as: UTF8.self), from: name, in: path)))
        case .directory: continue
        case .characterDevice, .blockDevice, .fifo: throw .malformed(what: path, reason: "member '\(name)' is no file")
        }
      }
    }
  }

  private mutating func add(_ name: String, _ member: Member) throws(OCIImageError) {
    guard members.count < Self.limit else { throw .malformed(what: path, reason: "has more than \(Self.limit) members") }
    guard members.updateValue(member, forKey: name) == nil else { throw .malformed(what: path, reason: "has two members '\(name)'") }
  }

  private static func resolve(_ target: String, from name: String, in archive: String) throws(OCIImageError) -> String {
    var parts = name.split(separator: "/").dropLast()
    for part in target.split(separator: "/") where part != "." {
      if part != ".." {
        parts.append(part)
      } else if parts.popLast() == nil {
        throw .malformed(what: archive, reason: "member '\(name)' points outside")
      }
    }
    return parts.joined(separator: "/")
  }

  /// Where the bytes of a member are; links are followed a few times.
  func file(_ name: String) throws(OCIImageError) -> (offset: Int64, size: Int64) {
    var place = name
    for _ in 0..<8 {
      switch members[place] {
      case .file(let offset, let size): return (offset, size)
      case .link(let next): place = next
      case nil: throw .malformed(what: path, reason: "has no member '\(place)'")
      }
    }
    throw .malformed(what: path, reason: "member '\(name)' is a chain of links")
  }
}
