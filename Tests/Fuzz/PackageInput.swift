import Feed

/// Packages, read as far as they let themselves be read.
enum PackageInput {
  /// Small, so that an input is tried in little time.
  private static var limits: IpkLimits {
    var limits = IpkLimits()
    limits.entries = 2000
    limits.bytes = 8 << 20
    limits.names = 1 << 20
    return limits
  }

  static func take(_ bytes: [UInt8]) {
    guard let package = try? Ipk(copying: bytes, name: "p.ipk") else { return }
    _ = try? package.controlFields()
    _ = try? package.maintainerScripts()
    var total = 0
    var files: [[UInt8]: Int64] = [:]
    try? package.readData(package: "p", limits: limits) { entry in
      demand(entry.path.first != 47 && !entry.path.split(separator: 47).contains { $0.elementsEqual("..".utf8) }, "path '\(entry.pathText)'")
      demand(entry.mode <= 0o7777, "mode")
      switch entry.kind {
      case .hardlink(let target):
        demand(files[target] != nil, "hard link to '\(String(decoding: target, as: UTF8.self))'")
        files[entry.path] = files[target]
      case .file(let size):
        demand(files[entry.path] == nil, "path twice")
        files[entry.path] = size
        return { piece in
          total += piece.count
          demand(total <= limits.bytes, "more bytes than the limit")
        }
      default: break
      }
      return nil
    }
  }

  /// A package around a data archive.
  static func package(data: [UInt8]) -> [UInt8] {
    Array("!<arch>\n".utf8) + member("debian-binary", Array("2.0\n".utf8)) + member("control.tar", []) + member("data.tar", data)
  }

  private static func member(_ name: String, _ data: [UInt8]) -> [UInt8] {
    func padded(_ text: String, _ width: Int) -> String { text + String(repeating: " ", count: width - text.count) }
    let header = padded(name, 16) + padded("0", 12) + padded("0", 6) + padded("0", 6) + padded("100644", 8) + padded(String(data.count), 10) + "`\n"
    return Array(header.utf8) + data + (data.count % 2 == 1 ? [10] : [])
  }
}
