/// Writes `ar` archives, which packages are, exactly as it is asked to.
package enum RawArchive {
  package static func member(_ name: String, _ data: [UInt8], size: String? = nil, end: String = "`\n") -> [UInt8] {
    func padded(_ text: String, _ width: Int) -> String { text + String(repeating: " ", count: width - text.count) }
    let header =
      padded(name, 16) + padded("0", 12) + padded("0", 6) + padded("0", 6) + padded("100644", 8) + padded(size ?? "\(data.count)", 10) + end
    return Array(header.utf8) + data + (data.count % 2 == 1 ? [10] : [])
  }

  /// A package with the given data archive, uncompressed.
  package static func ipk(data: [UInt8], scripts: [String] = []) -> [UInt8] { ipk(dataName: "data.tar", data: data, scripts: scripts) }

  /// A package with the given data archive, compressed as its name says.
  package static func ipk(dataName: String, data: [UInt8], scripts: [String] = [], fields: String = "Package: p\n") -> [UInt8] {
    var control = RawTar()
    control.add("./control", data: Array(fields.utf8))
    for script in scripts { control.add("./" + script, data: Array("#!/bin/sh\n".utf8)) }
    return ipk(control: control.finished(), named: "control.tar", dataName: dataName, data: data)
  }

  package static func ipk(control: [UInt8], named name: String, dataName: String = "data.tar", data: [UInt8]) -> [UInt8] {
    Array("!<arch>\n".utf8) + member("debian-binary", Array("2.0\n".utf8)) + member(name, control) + member(dataName, data)
  }

  /// A package whose outer archive is a tar, as `opkg-build -c` writes it before compressing.
  package static func tarIpk(_ members: [(String, [UInt8])]) -> [UInt8] {
    RawTar.of { tar in for (name, data) in members { tar.add(name, data: data) } }
  }
}
