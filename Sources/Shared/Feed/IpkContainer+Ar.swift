extension IpkContainer {
  /// ar(5), the common variant: 60-byte headers, members padded to even length.
  static func arMembers(_ bytes: UnsafeRawBufferPointer, path: String) throws(FeedError) -> [Member] {
    var members: [Member] = []
    var offset = 8
    while offset < bytes.count {
      guard offset + 60 <= bytes.count, bytes[offset + 58] == 0x60, bytes[offset + 59] == 0x0a else {
        throw .malformed(file: path, reason: "has a broken member header at byte \(offset)")
      }
      var name = field(bytes[offset..<offset + 16])
      if name.hasSuffix("/") { name.removeLast() }
      guard let size = Int(field(bytes[offset + 48..<offset + 58])), size >= 0, size <= bytes.count - offset - 60 else {
        throw .malformed(file: path, reason: "member '\(name)' is larger than the file")
      }
      guard members.count < memberLimit else { throw .malformed(file: path, reason: "has more than \(memberLimit) members") }
      members.append(Member(name: name, range: offset + 60..<offset + 60 + size))
      offset += 60 + size + size % 2
    }
    return members
  }

  private static func field(_ bytes: Slice<UnsafeRawBufferPointer>) -> String {
    String(decoding: bytes.prefix { $0 != 32 && $0 != 0 }, as: UTF8.self)
  }
}
