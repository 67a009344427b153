/// A 512-byte tar header (POSIX ustar, GNU's variant and star's) whose checksum was found right.
struct TarHeaderBlock {
  static let size = 512

  private let bytes: [UInt8]

  /// Throws when the checksum is wrong.
  init(_ block: [UInt8]) throws(TarFault) {
    bytes = block
    var unsigned: Int64 = 8 * 32
    var signed: Int64 = 8 * 32
    for index in block.indices where !(148..<156).contains(index) {
      unsigned += Int64(block[index])
      signed += Int64(Int8(bitPattern: block[index]))
    }
    // Old writers added the bytes up as signed numbers; Go's reader takes both.
    let stated = try number(148..<156, "checksum")
    guard stated == unsigned || stated == signed else { throw TarFault("a tar header has a wrong checksum") }
  }

  var type: UInt8 { bytes[156] }

  var name: [UInt8] {
    let name = text(0..<100)
    // The prefix belongs to POSIX's form alone: GNU keeps other things there. star's form of it is shorter, times follow.
    guard bytes[257..<263].elementsEqual("ustar\0".utf8), bytes[345] != 0 else { return name }
    let isStar = bytes[508..<512].elementsEqual("tar\0".utf8)
    return text(345..<(isStar ? 476 : 500)) + [UInt8(ascii: "/")] + name
  }

  var linkName: [UInt8] { text(157..<257) }

  func contentSize() throws(TarFault) -> Int64 { try number(124..<136, "size") }
  func mode() throws(TarFault) -> UInt32 { UInt32(try number(100..<108, "mode") & 0o7777) }
  func uid() throws(TarFault) -> Int64 { try number(108..<116, "uid") }
  func gid() throws(TarFault) -> Int64 { try number(116..<124, "gid") }
  func mtime() throws(TarFault) -> Int64 { try number(136..<148, "mtime") }

  /// As many bits as Linux' device numbers have.
  func device() throws(TarFault) -> (major: UInt32, minor: UInt32) {
    let (major, minor) = (try number(329..<337, "device number"), try number(337..<345, "device number"))
    guard (0..<1 << 12).contains(major), (0..<1 << 20).contains(minor) else {
      throw TarFault("it has the impossible device number \(major):\(minor)")
    }
    return (UInt32(major), UInt32(minor))
  }

  private func text(_ range: Range<Int>) -> [UInt8] { Array(bytes[range].prefix { $0 != 0 }) }

  /// Octal digits between blanks and zeros, or a big-endian two's complement number when the first bit is set.
  private func number(_ range: Range<Int>, _ field: String) throws(TarFault) -> Int64 {
    let first = bytes[range.lowerBound]
    if first & 0x80 != 0 {
      // The second bit is the sign.
      var value = Int64(first & 0x7F) - (first & 0x40 != 0 ? 0x80 : 0)
      for byte in bytes[range].dropFirst() {
        let (high, overflow) = value.multipliedReportingOverflow(by: 256)
        guard !overflow else { throw TarFault("a tar header has a \(field) that is too large") }
        value = high | Int64(byte)
      }
      return value
    }
    var value: Int64 = 0
    for byte in bytes[range].drop(while: { $0 == 32 || $0 == 0 }) {
      if byte == 32 || byte == 0 { break }
      guard (48...55).contains(byte), value >> 56 == 0 else { throw TarFault("a tar header has a \(field) that is not an octal number") }
      value = value << 3 | Int64(byte - 48)
    }
    return value
  }
}
