/// Writes tar members exactly as told, also wrong ones.
struct RawTar {
  private(set) var bytes: [UInt8] = []

  /// `size` overrides what the header says about `data`.
  mutating func add(
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
  mutating func header(
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
    put(octal(block.reduce(0) { $0 + Int($1) }, 7) + "\u{0} ", 148)
    bytes += block
  }

  mutating func append(_ data: [UInt8]) {
    bytes += data + [UInt8](repeating: 0, count: (512 - data.count % 512) % 512)
  }

  func finished() -> [UInt8] { bytes + [UInt8](repeating: 0, count: 1024) }

  private static func record(_ key: String, _ value: [UInt8]) -> [UInt8] {
    let rest = Array(" \(key)=".utf8) + value + [10]
    for digits in 1...8 where String(digits + rest.count).count == digits { return Array("\(digits + rest.count)".utf8) + rest }
    return []
  }
}

/// Writes `ar` archives exactly as told.
enum RawArchive {
  static func member(_ name: String, _ data: [UInt8], size: String? = nil, end: String = "`\n") -> [UInt8] {
    func padded(_ text: String, _ width: Int) -> String { text + String(repeating: " ", count: width - text.count) }
    let header =
      padded(name, 16) + padded("0", 12) + padded("0", 6) + padded("0", 6) + padded("100644", 8) + padded(size ?? "\(data.count)", 10) + end
    return Array(header.utf8) + data + (data.count % 2 == 1 ? [10] : [])
  }

  /// A package with the given data archive, uncompressed.
  static func ipk(data: [UInt8], scripts: [String] = []) -> [UInt8] { ipk(dataName: "data.tar", data: data, scripts: scripts) }

  /// A package with the given data archive, compressed as its name says.
  static func ipk(dataName: String, data: [UInt8], scripts: [String] = [], fields: String = "Package: p\n") -> [UInt8] {
    var control = RawTar()
    control.add("./control", data: Array(fields.utf8))
    for script in scripts { control.add("./" + script, data: Array("#!/bin/sh\n".utf8)) }
    return ipk(control: control.finished(), named: "control.tar", dataName: dataName, data: data)
  }

  /// A package whose outer archive is a tar, as `opkg-build -c` writes it before compressing.
  static func tarIpk(_ members: [(String, [UInt8])]) -> [UInt8] { RawTar.of { tar in for (name, data) in members { tar.add(name, data: data) } } }

  static func ipk(control: [UInt8], named name: String, dataName: String = "data.tar", data: [UInt8]) -> [UInt8] {
    Array("!<arch>\n".utf8) + member("debian-binary", Array("2.0\n".utf8)) + member(name, control) + member(dataName, data)
  }
}
