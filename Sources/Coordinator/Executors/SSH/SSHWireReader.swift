/// Reads the fields of RFC 4251 section 5 from untrusted bytes; every answer is nil when they end too early.
struct SSHWireReader {
  private var rest: ArraySlice<UInt8>

  init(_ bytes: some Sequence<UInt8>) { rest = Array(bytes)[...] }

  mutating func uint32() -> UInt32? {
    guard rest.count >= 4 else { return nil }
    let value = rest.prefix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    rest = rest.dropFirst(4)
    return value
  }

  mutating func string() -> [UInt8]? {
    guard let length = uint32(), length <= rest.count else { return nil }
    let value = Array(rest.prefix(Int(length)))
    rest = rest.dropFirst(Int(length))
    return value
  }

  mutating func byte() -> UInt8? { rest.popFirst() }

  mutating func skip(_ literal: [UInt8]) -> Bool {
    guard rest.starts(with: literal) else { return false }
    rest = rest.dropFirst(literal.count)
    return true
  }

  static func string(_ bytes: some Collection<UInt8>) -> [UInt8] { uint32(UInt32(bytes.count)) + bytes }
  static func uint32(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) } }
}
