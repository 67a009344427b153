import Glibc

/// The fields of an index that are used; everything else (descriptions above all) is passed over without being decoded.
enum IndexField: Int, CaseIterable {
  case package, version, architecture, filename, size, sha256, md5, oe, source, license

  /// Spellings of opkg's own reader (`MD5sum`, `MD5Sum`) and of Debian's indexes (`SHA256`).
  private static let names: [(StaticString, IndexField)] = [
    ("Package", .package), ("Version", .version), ("Architecture", .architecture), ("Filename", .filename), ("Size", .size),
    ("SHA256sum", .sha256), ("SHA256", .sha256), ("MD5Sum", .md5), ("MD5sum", .md5), ("OE", .oe), ("Source", .source), ("License", .license),
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
    }
  }

  /// Whether a continuation line would change what the field means. The others only serve people.
  var isOneLine: Bool {
    switch self {
    case .package, .version, .architecture, .filename, .size, .sha256, .md5: true
    case .oe, .source, .license: false
    }
  }
}
