/// Writes the members of a tar archive exactly as it is asked to, also wrong ones.
package struct RawTar {
  package private(set) var bytes: [UInt8] = []

  package init() {}

  /// A whole archive.
  package static func of(_ build: (inout RawTar) -> Void) -> [UInt8] {
    var tar = RawTar()
    build(&tar)
    return tar.finished()
  }

  /// `size` overrides what the header says about `data`.
  package mutating func add(
    _ name: String, type: Character = "0", data: [UInt8] = [], mode: Int = 0o644, link: String = "", size: Int? = nil, pax: [(String, [UInt8])] = []
  ) {
    if !pax.isEmpty {
      let body = pax.flatMap { Self.record($0.0, $0.1) }
      header("PaxHeaders/x", type: "x", size: body.count, mode: 0o644, link: "")
      append(body)
    }
    header(name, type: type, size: size ?? data.count, mode: mode, link: link)
    append(data)
  }

  /// `change` comes before the checksum.
  package mutating func header(
    _ name: String, type: Character, size: Int, mode: Int, link: String, change: (inout [UInt8]) -> Void = { _ in }
  ) {
    var block = [UInt8](repeating: 0, count: 512)
    func put(_ text: String, _ offset: Int) { block.replaceSubrange(offset..<offset + text.utf8.count, with: text.utf8) }
    func octal(_ value: Int, _ width: Int) -> String {
      let digits = String(value, radix: 8)
      return String(repeating: "0", count: width - 1 - digits.count) + digits
    }
    put(name, 0)
    put(octal(mode, 8), 100)
    put(octal(0, 8), 108)
    put(octal(0, 8), 116)
    put(octal(size, 12), 124)
    put(octal(1_600_000_000, 12), 136)
    put("        ", 148)
    put(String(type), 156)
    put(link, 157)
    put("ustar\u{0}00", 257)
    change(&block)
    Self.seal(&block)
    bytes += block
  }

  package mutating func append(_ data: [UInt8]) {
    bytes += data + [UInt8](repeating: 0, count: (512 - data.count % 512) % 512)
  }

  package func finished() -> [UInt8] { bytes + [UInt8](repeating: 0, count: 1024) }

  /// Makes the checksum of the header at `start` right.
  package static func seal(_ bytes: inout [UInt8], at start: Int = 0) {
    let sum = (0..<512).reduce(0) { $0 + ((148..<156).contains($1) ? 32 : Int(bytes[start + $1])) }
    let digits = String(sum, radix: 8)
    bytes.replaceSubrange(start + 148..<start + 156, with: Array((String(repeating: "0", count: 6 - digits.count) + digits).utf8) + [0, 32])
  }

  private static func record(_ key: String, _ value: [UInt8]) -> [UInt8] {
    let rest = Array(" \(key)=".utf8) + value + [10]
    for digits in 1...8 where String(digits + rest.count).count == digits { return Array("\(digits + rest.count)".utf8) + rest }
    return []
  }
}
