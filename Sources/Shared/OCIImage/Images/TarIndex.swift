import BuildModel

/// The members of a plain tar file by name, found by stepping from header to header.
///
/// Names are read as skopeo reads them (Go's path.Clean: without `.`, empty components and what `..` takes back), but for a slash in front, which
/// may be missing on either side. What is wrong with a member counts only when it is asked for.
struct TarIndex {
  private enum Member {
    case file(offset: Int64, size: Int64)
    /// The name of another member, of a symbolic link already resolved against its directory.
    case link(to: String)
    /// Something without content.
    case other
    /// Programs differ in which of several members of one name counts.
    case repeated
  }

  private static let limit = 20_000

  let path: String
  private let file: InputFile
  private var members: [String: Member] = [:]

  /// `path` may be a symbolic link to the archive.
  init(path: String) throws(OCIImageError) {
    self.path = path
    file = try InputFile(path: path, following: true)
    var reader = TarHeaderReader()
    var offset: Int64 = 0
    scan: while offset < file.size {
      guard file.size - offset >= Int64(TarHeaderBlock.size) else { throw .malformed(what: path, reason: "it ends in the middle of a header") }
      let block = try file.bytes(at: offset, count: TarHeaderBlock.size)
      offset += Int64(TarHeaderBlock.size)
      switch try Self.parsed(path, { () throws(TarFault) in try reader.take(block) }) {
      case .zeros: break scan
      case .extended(let size):
        let bytes = try file.bytes(at: offset, count: size)
        try Self.parsed(path) { () throws(TarFault) in try reader.takeExtension(bytes) }
        offset += Int64(size + TarHeader.padding(after: Int64(size)))
      case .member(let member):
        try add(member, at: offset)
        if case .file(let size) = member.kind { offset += size + Int64(TarHeader.padding(after: size)) }
      }
    }
  }

  private static func parsed<Value>(_ path: String, _ body: () throws(TarFault) -> Value) throws(OCIImageError) -> Value {
    do { return try body() } catch { throw .malformed(what: path, reason: error.reason) }
  }

  private mutating func add(_ member: TarMember, at offset: Int64) throws(OCIImageError) {
    func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
    let name = Self.clean(text(member.name))
    let found: Member
    switch member.kind {
    case .file(let size):
      guard size <= file.size - offset else { throw .malformed(what: path, reason: "its member \(member.quotedName) is cut off") }
      found = .file(offset: offset, size: size)
    case .hardlink(let target): found = .link(to: Self.clean(text(target)))
    case .symlink(let target):
      let directory = name.lastIndex(of: "/").map { name[..<$0] } ?? "."
      found = .link(to: Self.clean("\(directory)/\(text(target))"))
    case .directory: return
    case .characterDevice, .blockDevice, .fifo: found = .other
    }
    guard members.count < Self.limit else { throw .malformed(what: path, reason: "it has more than \(Self.limit) members") }
    if members.updateValue(found, forKey: name) != nil { members[name] = .repeated }
  }

  private static func clean(_ name: String) -> String {
    var parts: [Substring] = []
    let isAbsolute = name.hasPrefix("/")
    for part in name.split(separator: "/") where part != "." {
      if part != ".." {
        parts.append(part)
      } else if let last = parts.last, last != ".." {
        parts.removeLast()
      } else if !isAbsolute {
        parts.append(part)
      }
    }
    return (isAbsolute ? "/" : "") + parts.joined(separator: "/")
  }

  /// The member of exactly this name, else the one whose name differs in a slash in front.
  private func member(_ name: String) -> Member? {
    members[name] ?? members[name.hasPrefix("/") ? String(name.dropFirst()) : "/" + name]
  }

  func has(_ name: String) -> Bool { member(Self.clean(name)) != nil }

  /// Where the bytes of a member are; links are followed a few times.
  func file(_ name: String) throws(OCIImageError) -> (offset: Int64, size: Int64) {
    var place = Self.clean(name)
    for _ in 0..<8 {
      switch member(place) {
      case .file(let offset, let size): return (offset, size)
      case .link(let next): place = next
      case .other: throw .malformed(what: path, reason: "its member \(Printable.quoted(place)) is not a file")
      case .repeated: throw .malformed(what: path, reason: "it has two members \(Printable.quoted(place))")
      case nil: throw .malformed(what: path, reason: "it has no member \(Printable.quoted(place))")
      }
    }
    throw .malformed(what: path, reason: "its member \(Printable.quoted(name)) is a chain of links")
  }

  /// A small member whole.
  func document(_ name: String, limit: Int = DocumentSize.limit) throws(OCIImageError) -> [UInt8] {
    let (offset, size) = try file(name)
    guard size <= limit else { throw .malformed(what: path, reason: "its member \(Printable.quoted(name)) has \(size) bytes, more than \(limit)") }
    return try file.bytes(at: offset, count: Int(size))
  }
}
