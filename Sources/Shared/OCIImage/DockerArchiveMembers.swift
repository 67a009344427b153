import Glibc

/// Where the members of a docker-archive lie in its file. Only plain ustar files are understood, which is what ``DockerArchive`` writes.
package struct DockerArchiveMembers: Sendable {
  package struct Member: Hashable, Sendable {
    package var offset: Int64
    package var size: Int64
  }
  package let path: String
  package let members: [String: Member]

  /// More members than any image has are refused.
  private static let limit = 4096

  package init(_ path: String) throws(OCIImageError) {
    self.path = path
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .system(operation: "open", path: path, errno: errno) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw .system(operation: "stat", path: path, errno: errno) }
    let end = Int64(status.st_size)
    var members: [String: Member] = [:]
    var offset: Int64 = 0
    while true {
      let header = try Self.read(descriptor, path, at: offset, count: TarHeader.blockSize)
      if header.allSatisfy({ $0 == 0 }) { break }
      let member = try Self.member(header, path, at: offset + Int64(TarHeader.blockSize), end: end)
      offset = member.value.offset + member.value.size + Int64(TarHeader.padding(after: member.value.size))
      guard members.updateValue(member.value, forKey: member.name) == nil, members.count <= Self.limit else {
        throw .malformed(what: path, reason: "'\(member.name)' is there twice, or there are more than \(Self.limit) members")
      }
    }
    self.members = members
  }

  private static func member(_ header: [UInt8], _ path: String, at offset: Int64, end: Int64) throws(OCIImageError) -> (name: String, value: Member) {
    func text(_ range: Range<Int>) -> String { String(decoding: header[range].prefix { $0 != 0 && $0 != 32 }, as: UTF8.self) }
    let sum = header.enumerated().reduce(0) { $0 + ((148..<156).contains($1.offset) ? 32 : Int($1.element)) }
    guard header[257..<262].elementsEqual("ustar".utf8), Int(text(148..<155), radix: 8) == sum else {
      throw .malformed(what: path, reason: "byte \(offset - Int64(TarHeader.blockSize)) begins no ustar header")
    }
    let name = text(0..<100)
    guard header[156] == UInt8(ascii: "0"), header[345] == 0, let size = Int64(text(124..<135), radix: 8), size >= 0, size <= end - offset else {
      throw .malformed(what: path, reason: "member '\(name)' is no plain file, or longer than the archive")
    }
    return (name, Member(offset: offset, size: size))
  }

  /// A small member whole.
  package func bytes(_ name: String, limit: Int) throws(OCIImageError) -> [UInt8] {
    guard let member = members[name] else { throw .malformed(what: path, reason: "it has no '\(name)'") }
    guard member.size <= Int64(limit) else { throw .malformed(what: path, reason: "'\(name)' has more than \(limit) bytes") }
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .system(operation: "open", path: path, errno: errno) }
    defer { close(descriptor) }
    return try Self.read(descriptor, path, at: member.offset, count: Int(member.size))
  }

  /// Calls `body` with a member's bytes in pieces, valid during the call.
  package func read(_ name: String, body: (UnsafeRawBufferPointer) throws -> Void) throws {
    guard let member = members[name] else { throw OCIImageError.malformed(what: path, reason: "it has no '\(name)'") }
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw OCIImageError.system(operation: "open", path: path, errno: errno) }
    defer { close(descriptor) }
    var position: Int64 = 0
    while position < member.size {
      let piece = try Self.read(descriptor, path, at: member.offset + position, count: Int(min(1 << 20, member.size - position)))
      try piece.withUnsafeBytes { try body($0) }
      position += Int64(piece.count)
    }
  }

  private static func read(_ descriptor: Int32, _ path: String, at offset: Int64, count: Int) throws(OCIImageError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    var got = 0
    while got < count {
      let now = bytes.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress.map { $0 + got }, count - got, off_t(offset) + got) }
      if now < 0, errno == EINTR { continue }
      if now < 0 { throw .system(operation: "read", path: path, errno: errno) }
      if now == 0 { throw .malformed(what: path, reason: "it ends before its end marker") }
      got += now
    }
    return bytes
  }
}
