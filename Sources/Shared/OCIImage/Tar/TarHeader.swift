/// Writes POSIX pax headers (IEEE 1003.1 "pax Interchange Format"): a ustar block, preceded by an extended header only where ustar cannot say it.
enum TarHeader {
  static let blockSize = TarHeaderBlock.size

  /// All header blocks of an entry.
  static func blocks(for entry: TarEntry) throws(OCIImageError) -> [UInt8] {
    var path = entry.path
    guard !path.isEmpty, path.first != UInt8(ascii: "/"), !path.contains(0) else {
      throw .invalidPath(String(decoding: path, as: UTF8.self))
    }
    var link: [UInt8] = []
    var size: Int64 = 0
    var device: (major: UInt32, minor: UInt32) = (0, 0)
    let type: UInt8
    switch entry.kind {
    case .directory:
      type = UInt8(ascii: "5")
      path.append(UInt8(ascii: "/"))
    case .file(let bytes):
      type = UInt8(ascii: "0")
      size = bytes
    case .symlink(let target):
      type = UInt8(ascii: "2")
      link = target
    case .hardlink(let target):
      type = UInt8(ascii: "1")
      link = target
    case .characterDevice(let major, let minor):
      type = UInt8(ascii: "3")
      device = (major, minor)
    case .blockDevice(let major, let minor):
      type = UInt8(ascii: "4")
      device = (major, minor)
    case .fifo: type = UInt8(ascii: "6")
    }
    // Linux' device numbers have 12 and 20 bits.
    guard device.major <= 0o7777777, device.minor <= 0o7777777 else {
      throw .malformed(what: String(decoding: path, as: UTF8.self), reason: "it has the impossible device number \(device.major):\(device.minor)")
    }
    var records: [(String, [UInt8])] = []
    if needsRecord(path, limit: 100) { records.append(("path", path)) }
    if needsRecord(link, limit: 100) { records.append(("linkpath", link)) }
    if size > 0o77777777777 { records.append(("size", Array(String(size).utf8))) }
    if entry.uid > 0o7777777 { records.append(("uid", Array(String(entry.uid).utf8))) }
    if entry.gid > 0o7777777 { records.append(("gid", Array(String(entry.gid).utf8))) }
    if entry.nanoseconds > 0 {
      let fraction = String(entry.nanoseconds)
      records.append(("mtime", Array("\(entry.mtime).\(String(repeating: "0", count: max(0, 9 - fraction.utf8.count)))\(fraction)".utf8)))
    }
    for (name, value) in entry.xattrs.sorted(by: { $0.key < $1.key }) { records.append(("SCHILY.xattr." + name, value)) }
    var bytes: [UInt8] = []
    if !records.isEmpty {
      let body = records.flatMap { record($0.0, $0.1) }
      let extended = TarEntry(
        path: Array("PaxHeaders/entry".utf8), kind: .file(size: Int64(body.count)), mode: 0o644, uid: 0, gid: 0, mtime: entry.mtime)
      bytes = ustar(extended, path: extended.path, link: [], size: Int64(body.count), type: UInt8(ascii: "x"))
      bytes += body
      bytes += [UInt8](repeating: 0, count: padding(after: Int64(body.count)))
    }
    return bytes + ustar(entry, path: Array(path.prefix(100)), link: Array(link.prefix(100)), size: size, type: type, device: device)
  }

  /// Zero bytes that fill up the last block of a body.
  static func padding(after size: Int64) -> Int { Int((Int64(blockSize) - size % Int64(blockSize)) % Int64(blockSize)) }

  private static func needsRecord(_ text: [UInt8], limit: Int) -> Bool { text.count > limit || text.contains { $0 >= 128 } }

  /// `<length> <key>=<value>\n`, where the length counts itself.
  private static func record(_ key: String, _ value: [UInt8]) -> [UInt8] {
    let body = [UInt8(ascii: " ")] + Array(key.utf8) + [UInt8(ascii: "=")] + value + [UInt8(ascii: "\n")]
    var length = body.count + 1
    while String(length).utf8.count + body.count != length { length = String(length).utf8.count + body.count }
    return Array(String(length).utf8) + body
  }

  private static func ustar(
    _ entry: TarEntry, path: [UInt8], link: [UInt8], size: Int64, type: UInt8, device: (major: UInt32, minor: UInt32) = (0, 0)
  ) -> [UInt8] {
    var block = [UInt8](repeating: 0, count: blockSize)
    func put(_ bytes: some Collection<UInt8>, at offset: Int) {
      block.replaceSubrange(offset..<offset + bytes.count, with: bytes)
    }
    func octal(_ value: Int64, at offset: Int, width: Int) {
      let digits = String(max(0, value), radix: 8)
      put((String(repeating: "0", count: max(0, width - 1 - digits.utf8.count)) + digits).utf8.suffix(width - 1), at: offset)
    }
    put(path, at: 0)
    octal(Int64(entry.mode), at: 100, width: 8)
    octal(entry.uid > 0o7777777 ? 0 : Int64(entry.uid), at: 108, width: 8)
    octal(entry.gid > 0o7777777 ? 0 : Int64(entry.gid), at: 116, width: 8)
    octal(size > 0o77777777777 ? 0 : size, at: 124, width: 12)
    octal(entry.mtime, at: 136, width: 12)
    block[156] = type
    put(link, at: 157)
    put("ustar\0".utf8, at: 257)
    put("00".utf8, at: 263)
    if type == UInt8(ascii: "3") || type == UInt8(ascii: "4") {
      octal(Int64(device.major), at: 329, width: 8)
      octal(Int64(device.minor), at: 337, width: 8)
    }
    put([UInt8](repeating: UInt8(ascii: " "), count: 8), at: 148)
    let sum = block.reduce(0) { $0 + Int64($1) }
    octal(sum, at: 148, width: 7)
    block[154] = 0
    return block
  }
}
