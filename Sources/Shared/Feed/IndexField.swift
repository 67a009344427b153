import Glibc

/// The fields of an index that are used; everything else (descriptions above all) is passed over without being decoded.
enum IndexField: Int, CaseIterable {
  case package, version, architecture, filename, size, sha256, md5, oe, source, license, provides, conflicts, replaces

  /// Spellings of opkg's own reader (`MD5sum`, `MD5Sum`) and of Debian's indexes (`SHA256`).
  private static let names: [(StaticString, IndexField)] = [
    ("Package", .package), ("Version", .version), ("Architecture", .architecture), ("Filename", .filename), ("Size", .size),
    ("SHA256sum", .sha256), ("SHA256", .sha256), ("MD5Sum", .md5), ("MD5sum", .md5), ("OE", .oe), ("Source", .source), ("License", .license),
    ("Provides", .provides), ("Conflicts", .conflicts), ("Replaces", .replaces),
  ]

  /// nil for a key that nobody asks for.
  init?(_ key: UnsafeRawBufferPointer) {
    guard let start = key.baseAddress else { return nil }
    for (name, field) in Self.names where name.utf8CodeUnitCount == key.count && memcmp(name.utf8Start, start, key.count) == 0 {
      self = field
      return
    }
    return nil
  }

  var name: String {
    switch self {
    case .package: "Package"
    case .version: "Version"
    case .architecture: "Architecture"
    case .filename: "Filename"
    case .size: "Size"
    case .sha256: "SHA256sum"
    case .md5: "MD5Sum"
    case .oe: "OE"
    case .source: "Source"
    case .license: "License"
    case .provides: "Provides"
    case .conflicts: "Conflicts"
    case .replaces: "Replaces"
    }
  }

  /// Whether a continuation line would change what the field means. The others only serve people.
  var isOneLine: Bool {
    switch self {
    case .package, .version, .architecture, .filename, .size, .sha256, .md5: true
    case .oe, .source, .license, .provides, .conflicts, .replaces: false
    }
  }

  /// Whether continuation lines belong to the value.
  var isFolded: Bool {
    switch self {
    case .provides, .conflicts, .replaces: true
    case .package, .version, .architecture, .filename, .size, .sha256, .md5, .oe, .source, .license: false
    }
  }

  /// Whether a line of blanks continues the field's value, as libopkg (pkg_parse_line in libopkg/pkg_parse.c) reads it; after every other field such
  /// a line ends the stanza. OpenEmbedded writes an empty line of a description as one blank.
  static func holdsBlankLines(_ key: some Sequence<UInt8>) -> Bool { key.elementsEqual("Description".utf8) || key.elementsEqual("Conffiles".utf8) }
}
