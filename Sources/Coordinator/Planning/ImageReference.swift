import FoundationEssentials

/// References to images of a registry, in the form that container programs take (the grammar of distribution's `reference` package).
enum ImageReference {
  /// `[host[:port]/]path[:tag][@sha256:digest]`, at most 512 bytes. Nothing is substituted in it: a `$` is no part of a reference.
  static func isValid(_ text: String) -> Bool {
    guard text.utf8.count <= 512 else { return false }
    var name = text[...]
    if let at = name.firstIndex(of: "@") {
      let digest = name[name.index(after: at)...]
      guard digest.hasPrefix("sha256:"), digest.utf8.count == 71,
        digest.utf8.dropFirst(7).allSatisfy({ (48...57).contains($0) || (97...102).contains($0) })
      else { return false }
      name = name[..<at]
    }
    let tail = name.lastIndex(of: "/").map { name.index(after: $0) } ?? name.startIndex
    if let colon = name[tail...].firstIndex(of: ":") {
      let tag = name[name.index(after: colon)...].utf8
      guard (1...128).contains(tag.count), tag.first != 45, tag.first != 46, tag.allSatisfy({ isAlphanumeric($0) || [45, 46, 95].contains($0) })
      else { return false }
      name = name[..<colon]
    }
    var parts = name.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count >= 1 else { return false }
    if parts.count > 1, parts[0].contains(".") || parts[0].contains(":") || parts[0] == "localhost" || parts[0].hasPrefix("[") {
      guard isHost(parts.removeFirst()) else { return false }
    }
    return parts.allSatisfy(isComponent)
  }

  private static func isComponent(_ part: Substring) -> Bool {
    let bytes = Array(part.utf8)
    func isLetter(_ byte: UInt8) -> Bool { (48...57).contains(byte) || (97...122).contains(byte) }
    guard let first = bytes.first, let last = bytes.last, isLetter(first), isLetter(last) else { return false }
    return bytes.allSatisfy { isLetter($0) || [45, 46, 95].contains($0) }
  }

  private static func isHost(_ part: Substring) -> Bool {
    guard let first = part.utf8.first, isAlphanumeric(first) || first == UInt8(ascii: "[") else { return false }
    return part.utf8.allSatisfy { isAlphanumeric($0) || [45, 46, 58, 91, 93].contains($0) }
  }

  private static func isAlphanumeric(_ byte: UInt8) -> Bool {
    (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
  }
}
