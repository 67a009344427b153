import FoundationEssentials

/// Reads tar headers that others wrote: ustar, pax and GNU's long names (POSIX.1-2017 pax; tar(5)). What cannot be understood is refused, not skipped.
struct TarHeaderReader {
  /// What a header block begins.
  enum Step {
    /// A body of this many bytes that describes the next entry; hand it to ``takeExtension(_:)``.
    case extended(size: Int)
    /// An entry, whose bytes follow if it is a file.
    case entry(TarEntry)
    /// A block of zeros: two of them end the archive.
    case zeros
  }

  /// Longer extensions than any real attribute needs are refused.
  static let extensionLimit = 1 << 20

  /// For messages.
  let what: String
  private var records: [String: [UInt8]] = [:]
  private var longPath: [UInt8]?
  private var longLink: [UInt8]?
  private var extensionType: UInt8 = 0

  init(what: String) { self.what = what }

  private func wrong(_ reason: String) -> OCIImageError { .malformed(what: what, reason: reason) }

  /// Reads one block of 512 bytes.
  mutating func take(_ block: [UInt8]) throws(OCIImageError) -> Step {
    if block.allSatisfy({ $0 == 0 }) { return .zeros }
    let sum = block.indices.reduce(0) { $0 + ((148..<156).contains($1) ? 32 : Int(block[$1])) }
    guard try number(block, 148, 8) == Int64(sum) else { throw wrong("a header's checksum is wrong") }
    var size = try number(block, 124, 12)
    let type = block[156]
    if [UInt8(ascii: "x"), UInt8(ascii: "g"), UInt8(ascii: "L"), UInt8(ascii: "K")].contains(type) {
      guard (0...Int64(Self.extensionLimit)).contains(size) else { throw wrong("an extended header of \(size) bytes") }
      extensionType = type
      return .extended(size: Int(size))
    }
    defer {
      records = [:]
      longPath = nil
      longLink = nil
    }
    if let text = records["size"] { size = try decimal(text, "size") }
    guard size >= 0 else { throw wrong("an entry of \(size) bytes") }
    let raw = records["path"] ?? longPath ?? name(block)
    let link = records["linkpath"] ?? longLink ?? text(block, 157, 100)
    let path = try clean(raw)
    var mtime = try number(block, 136, 12)
    if let text = records["mtime"] { mtime = try seconds(text) }
    return .entry(
      TarEntry(
        path: path, kind: try kind(type, block, raw: raw, link: link, size: size),
        mode: UInt32(truncatingIfNeeded: try number(block, 100, 8)) & 0o7777,
        uid: try owner(records["uid"], try number(block, 108, 8)), gid: try owner(records["gid"], try number(block, 116, 8)),
        mtime: mtime, xattrs: xattrs()))
  }

  /// Takes the body that ``Step/extended(size:)`` announced.
  mutating func takeExtension(_ bytes: [UInt8]) throws(OCIImageError) {
    switch extensionType {
    case UInt8(ascii: "L"): longPath = Array(bytes.prefix { $0 != 0 })
    case UInt8(ascii: "K"): longLink = Array(bytes.prefix { $0 != 0 })
    case UInt8(ascii: "x"):
      for (key, value) in try parse(bytes) { records[key] = value }
      if let key = records.keys.filter({ $0.hasPrefix("GNU.sparse.") || $0.hasPrefix("SCHILY.acl.") || $0.hasPrefix("LIBARCHIVE.") }).min() {
        throw wrong("extended header '\(key)' is not supported")
      }
    // Global headers hold comments (git archive); one that renames what follows is none.
    default:
      for (key, _) in try parse(bytes) where key != "comment" { throw wrong("a global header sets '\(key.prefix(80))'") }
    }
  }

  private func kind(_ type: UInt8, _ block: [UInt8], raw: [UInt8], link: [UInt8], size: Int64) throws(OCIImageError) -> TarEntry.Kind {
    switch type {
    case 0, UInt8(ascii: "0"), UInt8(ascii: "7"):
      // Before POSIX a directory was a name that ends in '/'.
      return raw.last == UInt8(ascii: "/") ? .directory : .file(size: size)
    case UInt8(ascii: "1"): return .hardlink(target: try clean(link))
    case UInt8(ascii: "2"):
      guard !link.isEmpty, link.count <= 4096 else { throw wrong("a symbolic link with a target of \(link.count) bytes") }
      return .symlink(target: link)
    case UInt8(ascii: "3"), UInt8(ascii: "4"):
      guard let major = UInt32(exactly: try number(block, 329, 8)), let minor = UInt32(exactly: try number(block, 337, 8)) else {
        throw wrong("a device number that is none")
      }
      return type == UInt8(ascii: "3") ? .characterDevice(major: major, minor: minor) : .blockDevice(major: major, minor: minor)
    case UInt8(ascii: "5"): return .directory
    case UInt8(ascii: "6"): return .fifo
    default: throw wrong("'\(String(decoding: raw.prefix(200), as: UTF8.self))' is of the unknown type \(type)")
    }
  }

  /// Removes `./`, `/` in front and empty components; what leaves the root is refused.
  private func clean(_ raw: [UInt8]) throws(OCIImageError) -> [UInt8] {
    guard raw.count <= 4096, !raw.contains(0) else { throw wrong("a path of \(raw.count) bytes") }
    var parts: [ArraySlice<UInt8>] = []
    for part in raw.split(separator: UInt8(ascii: "/")) where !part.elementsEqual(".".utf8) {
      guard !part.elementsEqual("..".utf8) else { throw wrong("'\(String(decoding: raw, as: UTF8.self))' leaves the root") }
      guard part.count <= 255 else { throw wrong("a name of \(part.count) bytes") }
      parts.append(part)
    }
    return Array(parts.joined(separator: [UInt8(ascii: "/")]))
  }

  private func name(_ block: [UInt8]) -> [UInt8] {
    let name = text(block, 0, 100)
    // GNU's older magic, "ustar  ", has other fields where POSIX has the prefix.
    guard block[257..<263].elementsEqual("ustar\0".utf8) else { return name }
    let prefix = text(block, 345, 155)
    return prefix.isEmpty ? name : prefix + [UInt8(ascii: "/")] + name
  }

  private func text(_ block: [UInt8], _ offset: Int, _ width: Int) -> [UInt8] {
    Array(block[offset..<offset + width].prefix { $0 != 0 })
  }

  /// Octal digits between blanks and zeros, or GNU's base 256 where the first bit is set.
  private func number(_ block: [UInt8], _ offset: Int, _ width: Int) throws(OCIImageError) -> Int64 {
    let field = block[offset..<offset + width]
    if let first = field.first, first & 0x80 != 0 {
      var value: Int64 = first == 0xff ? -1 : Int64(first & 0x7f)
      for byte in field.dropFirst() {
        let (shifted, overflow) = value.multipliedReportingOverflow(by: 256)
        guard !overflow else { throw wrong("a number that is too large") }
        value = shifted | Int64(byte)
      }
      return value
    }
    let digits = field.drop { $0 == 32 || $0 == 0 }.prefix { $0 != 32 && $0 != 0 }
    if digits.isEmpty { return 0 }
    guard let value = Int64(String(decoding: digits, as: UTF8.self), radix: 8), value >= 0 else { throw wrong("a number that is not octal") }
    return value
  }

  private func decimal(_ text: [UInt8], _ key: String) throws(OCIImageError) -> Int64 {
    guard let value = Int64(String(decoding: text, as: UTF8.self)) else { throw wrong("an extended header with '\(key)' that is no number") }
    return value
  }

  private func seconds(_ text: [UInt8]) throws(OCIImageError) -> Int64 { try decimal(Array(text.prefix { $0 != UInt8(ascii: ".") }), "mtime") }

  private func owner(_ record: [UInt8]?, _ field: Int64) throws(OCIImageError) -> UInt32 {
    var value = field
    if let record { value = try decimal(record, "uid or gid") }
    guard let id = UInt32(exactly: value) else { throw wrong("owner \(value)") }
    return id
  }

  private func xattrs() -> [String: [UInt8]] {
    var result: [String: [UInt8]] = [:]
    for (key, value) in records where key.hasPrefix("SCHILY.xattr.") { result[String(key.dropFirst("SCHILY.xattr.".count))] = value }
    return result
  }

  /// `<length> <key>=<value>\n`, where the length counts itself.
  private func parse(_ bytes: [UInt8]) throws(OCIImageError) -> [(String, [UInt8])] {
    var result: [(String, [UInt8])] = []
    var rest = bytes[...]
    // Some writers count the padding.
    while let first = rest.first, first != 0 {
      let digits = rest.prefix { (48...57).contains($0) }
      guard digits.count < 8, let length = Int(String(decoding: digits, as: UTF8.self)), length > digits.count + 2, length <= rest.count else {
        throw wrong("an extended header with a broken record")
      }
      let record = rest.prefix(length)
      let body = record.dropFirst(digits.count)
      guard body.first == UInt8(ascii: " "), body.last == UInt8(ascii: "\n"), let equals = body.firstIndex(of: UInt8(ascii: "=")) else {
        throw wrong("an extended header with a broken record")
      }
      result.append((String(decoding: body[(body.startIndex + 1)..<equals], as: UTF8.self), Array(body[(equals + 1)...].dropLast())))
      rest = rest.dropFirst(length)
    }
    return result
  }
}
