/// A package version in opkg's order, which is Debian's: `[epoch:]upstream[-revision]`, `~` sorts before everything, even the end.
package struct OpkgVersion: Hashable, Sendable, Comparable, CustomStringConvertible {
  package let text: String
  private let epoch: Int
  private let upstream: [UInt8]
  private let revision: [UInt8]

  package init(_ text: String) {
    self.text = text
    var rest = text[...]
    if let colon = rest.firstIndex(of: ":"), let number = Int(rest[..<colon]) {
      epoch = number
      rest = rest[rest.index(after: colon)...]
    } else {
      epoch = 0
    }
    if let dash = rest.lastIndex(of: "-") {
      upstream = Array(rest[..<dash].utf8)
      revision = Array(rest[rest.index(after: dash)...].utf8)
    } else {
      upstream = Array(rest.utf8)
      revision = []
    }
  }

  package var description: String { text }

  /// 1 to 255 printable ASCII bytes without blanks or `/`: versions stand in file names and messages.
  package static func isValid(_ text: String) -> Bool {
    (1...255).contains(text.utf8.count) && text.utf8.allSatisfy { (33...126).contains($0) && $0 != UInt8(ascii: "/") }
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
