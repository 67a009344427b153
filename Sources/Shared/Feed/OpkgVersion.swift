/// A package version in opkg's order: `[epoch:]upstream[-revision]`, `~` sorts before everything, even the end.
///
/// opkg's comparison is dpkg's (libopkg/pkg.c, verrevcmp). The differences lie in what is accepted: opkg takes the number before the first colon with
/// strtoul, so that `x:1` and `1x:1` have the epochs 0 and 1, and knows no rules about characters, where dpkg refuses. Both readings of such a version
/// cannot be right, so it is refused here (``init(valid:)``), too; what is left means the same to both.
package struct OpkgVersion: Hashable, Sendable, Comparable, CustomStringConvertible {
  package let text: String
  private let epoch: Int
  private let upstream: [UInt8]
  private let revision: [UInt8]

  /// nil unless ``isValid(_:)``.
  package init?(valid text: String) {
    guard Self.isValid(text) else { return nil }
    self.init(text)
  }

  /// Takes any text; one that is not valid has the epoch 0 and is otherwise compared as it stands.
  package init(_ text: String) {
    self.text = text
    let bytes = Array(text.utf8)
    var rest = bytes[...]
    if let colon = bytes.firstIndex(of: UInt8(ascii: ":")), let number = Self.epoch(bytes[..<colon]) {
      epoch = number
      rest = bytes[(colon + 1)...]
    } else {
      epoch = 0
    }
    if let dash = rest.lastIndex(of: UInt8(ascii: "-")) {
      upstream = Array(rest[..<dash])
      revision = Array(rest[(dash + 1)...])
    } else {
      upstream = Array(rest)
      revision = []
    }
  }

  /// 1 to 9 digits: dpkg's epoch is an int.
  private static func epoch(_ digits: ArraySlice<UInt8>) -> Int? {
    guard (1...9).contains(digits.count), digits.allSatisfy(isDigit) else { return nil }
    return digits.reduce(0) { $0 * 10 + Int($1 - 48) }
  }

  package var description: String { text }

  /// 1 to 255 printable ASCII bytes without blanks or `/` (versions stand in file names and messages); what is before a colon is a number, and
  /// something follows it.
  package static func isValid(_ text: String) -> Bool {
    let bytes = Array(text.utf8)
    guard (1...255).contains(bytes.count), bytes.allSatisfy({ (33...126).contains($0) && $0 != UInt8(ascii: "/") }) else { return false }
    guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")) else { return true }
    return epoch(bytes[..<colon]) != nil && colon + 1 < bytes.count
  }

  /// Whether neither comes first: `1.0` and `1.00` are written differently but are one version.
  package func isEquivalent(to other: OpkgVersion) -> Bool { !(self < other) && !(other < self) }

  package static func < (a: OpkgVersion, b: OpkgVersion) -> Bool {
    if a.epoch != b.epoch { return a.epoch < b.epoch }
    let order = compare(a.upstream, b.upstream)
    return order != 0 ? order < 0 : compare(a.revision, b.revision) < 0
  }

  /// Alternating runs of non-digits and digits (Debian policy 5.6.12); negative when `a` comes first.
  private static func compare(_ a: [UInt8], _ b: [UInt8]) -> Int {
    var i = 0
    var j = 0
    while i < a.count || j < b.count {
      while (i < a.count && !isDigit(a[i])) || (j < b.count && !isDigit(b[j])) {
        let left = i < a.count ? weight(a[i]) : 0
        let right = j < b.count ? weight(b[j]) : 0
        if left != right { return left - right }
        i += 1
        j += 1
      }
      while i < a.count, a[i] == 48 { i += 1 }
      while j < b.count, b[j] == 48 { j += 1 }
      var first = 0
      while i < a.count, isDigit(a[i]), j < b.count, isDigit(b[j]) {
        if first == 0 { first = Int(a[i]) - Int(b[j]) }
        i += 1
        j += 1
      }
      if i < a.count, isDigit(a[i]) { return 1 }
      if j < b.count, isDigit(b[j]) { return -1 }
      if first != 0 { return first }
    }
    return 0
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }

  private static func weight(_ byte: UInt8) -> Int {
    switch byte {
    case UInt8(ascii: "~"): -1
    case 48...57: 0
    case 65...90, 97...122: Int(byte)
    default: Int(byte) + 256
    }
  }
}
