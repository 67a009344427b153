/// A 512-byte tar header (POSIX ustar, and GNU's variant of it) whose checksum was found right.
struct TarHeaderBlock {
  private let bytes: [UInt8]

  /// Throws when the checksum is wrong.
  init(_ block: UnsafeRawBufferPointer) throws(LayerFault) {
    bytes = Array(block)
    var sum = 8 * 32
    for (index, byte) in bytes.enumerated() where !(148..<156).contains(index) { sum += Int(byte) }
    guard try number(148..<156, "checksum") == Int64(sum) else { throw LayerFault("has a tar header with a wrong checksum") }
  }

  var type: UInt8 { bytes[156] }

  var name: [UInt8] {
    let name = text(0..<100)
    // The prefix belongs to POSIX's form alone: GNU keeps other things there.
    guard bytes[257..<263].elementsEqual("ustar\0".utf8), bytes[345] != 0 else { return name }
    return text(345..<500) + [47] + name
  }

  var linkName: [UInt8] { text(157..<257) }

  func size() throws(LayerFault) -> Int64 { try number(124..<136, "size") }
  func mode() throws(LayerFault) -> Int64 { try number(100..<108, "mode") }
  func uid() throws(LayerFault) -> Int64 { try number(108..<116, "uid") }
  func gid() throws(LayerFault) -> Int64 { try number(116..<124, "gid") }
  func mtime() throws(LayerFault) -> Int64 { try number(136..<148, "mtime") }
  func deviceMajor() throws(LayerFault) -> Int64 { try number(329..<337, "device number") }
  func deviceMinor() throws(LayerFault) -> Int64 { try number(337..<345, "device number") }

  private func text(_ range: Range<Int>) -> [UInt8] { Array(bytes[range].prefix { $0 != 0 }) }

  /// Octal digits, or a big-endian two's complement number when the first bit is set.
  private func number(_ range: Range<Int>, _ field: String) throws(LayerFault) -> Int64 {
    let digits = bytes[range]
    let first = bytes[range.lowerBound]
    if first & 0x80 != 0 {
      var value: Int64 = first & 0x40 != 0 ? -1 : 0
      for (index, byte) in digits.enumerated() {
        let part = index == 0 ? (first & 0x40 != 0 ? byte : byte & 0x7F) : byte
        let (high, overflow) = value.multipliedReportingOverflow(by: 256)
        guard !overflow else { throw LayerFault("has a tar header with an impossible \(field)") }
        value = high | Int64(part)
      }
      return value
    }
    var value: Int64 = 0
    for byte in digits.drop(while: { $0 == 32 || $0 == 0 }) {
      if byte == 32 || byte == 0 { break }
      guard (48...55).contains(byte), value >> 56 == 0 else { throw LayerFault("has a tar header with an impossible \(field)") }
      value = value << 3 | Int64(byte - 48)
    }
    return value
  }
}
