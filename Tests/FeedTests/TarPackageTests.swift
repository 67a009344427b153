import Foundation
import TestArchives
import TestFiles
import Testing

@testable import Feed

/// Packages whose outer archive is a tar: `opkg-build -c`, OpenWrt's ipkg-build.
@Suite struct TarPackageTests {
  static let control = RawTar.of { tar in
    tar.add("./control", data: Array("Package: p\nVersion: 1\nArchitecture: all\n".utf8))
    tar.add("./postinst", data: [1])
  }
  static let data = RawTar.of { tar in
    tar.add("./", type: "5")
    tar.add("./usr/", type: "5")
    tar.add("./usr/x", data: Array("hello".utf8))
  }
  static let binary = ("./debian-binary", Array("2.0\n".utf8))

  func open(_ bytes: [UInt8]) throws -> Ipk { try Ipk(copying: bytes, name: "p.ipk") }

  func refusal(_ bytes: [UInt8], limits: IpkLimits = IpkLimits()) -> String {
    let error = #expect(throws: FeedError.self) {
      let package = try open(bytes)
      _ = try package.controlFields()
      try package.readData(package: "p", limits: limits) { _ in { _ in } }
    }
    return error?.description ?? ""
  }

  /// Outer and inner compression; the order of the members is whoever wrote it.
  @Test(arguments: [
    ("gzip", "gzip", false), ("gzip", "xz", false), ("gzip", "zstd", true), ("gzip", "cat", true), ("cat", "gzip", false), ("xz", "gzip", true),
  ])
  func isRead(_ outer: String, _ inner: String, _ controlFirst: Bool) throws {
    func pack(_ bytes: [UInt8], _ program: String) throws -> [UInt8] { program == "cat" ? bytes : try Packer.pack(bytes, program) }
    let suffix = ["gzip": ".gz", "xz": ".xz", "zstd": ".zst", "cat": ""][inner] ?? ""
    let archives = [("./data.tar" + suffix, try pack(Self.data, inner)), ("./control.tar.gz", try pack(Self.control, "gzip"))]
    let tar = RawArchive.tarIpk([Self.binary] + (controlFirst ? archives.reversed() : archives))
    let package = try open(try pack(tar, outer))
    #expect(try package.controlFields()["Package"] == "p")
    #expect(try package.maintainerScripts() == ["postinst"])
    var found: [String] = []
    // Twice: each reading starts anew.
    for _ in 0..<2 {
      try package.readData(package: "p") { entry in
        found.append(entry.pathText)
        return { found.append(String(decoding: $0, as: UTF8.self)) }
      }
    }
    #expect(found == ["", "usr", "usr/x", "hello", "", "usr", "usr/x", "hello"])
  }

  /// GNU tar's own way, with a directory entry in front.
  @Test func opkgBuildsOwnWay() throws {
    try withScratchDirectory { scratch in
      for (name, bytes) in [("data.tar.gz", try Packer.pack(Self.data, "gzip")), ("control.tar.gz", try Packer.pack(Self.control, "gzip"))] {
        try TestFiles.write(bytes, to: scratch + "/in/" + name)
      }
      try write(Self.binary.1, to: scratch + "/in/debian-binary")
      for (place, command) in [
        "tar -zcf ../p0.ipk ./debian-binary ./data.tar.gz ./control.tar.gz",
        "tar --format=gnu -cf - debian-binary data.tar.gz control.tar.gz | gzip -n - > ../p1.ipk",
        "tar --format=pax -zcf ../p2.ipk .",
      ].enumerated() {
        try Packer.shell("cd '\(scratch)/in' && \(command)")
        let package = try Ipk(path: "\(scratch)/p\(place).ipk")
        #expect(try package.controlFields()["Version"] == "1")
        var count = 0
        try package.readData(package: "p") { _ in
          count += 1
          return nil
        }
        #expect(count == 3)
      }
    }
  }

  @Test func refuses() throws {
    let plain = [Self.binary, ("./data.tar", Self.data), ("./control.tar", Self.control)]
    func tar(_ change: (inout RawTar) -> Void) -> [UInt8] {
      RawTar.of { tar in
        for (name, data) in plain { tar.add(name, data: data) }
        change(&tar)
      }
    }
    for (bytes, word) in [
      (tar { $0.add("data.tar.gz", data: [1]) }, "has 2 members 'data.tar.*' instead of one"),
      (RawArchive.tarIpk([Self.binary, plain[1]]), "has 0 members 'control.tar.*' instead of one"),
      (RawArchive.tarIpk([plain[1], plain[2]]), "has no member debian-binary"),
      (tar { $0.add("x", type: "2", link: "data.tar") }, "member 'x' is no ordinary file"),
      (tar { $0.add("x", type: "1", link: "./data.tar") }, "member 'x' is no ordinary file"),
      (tar { $0.add("sub/", type: "5") }, "member 'sub/' is no ordinary file"),
      (tar { tar in for index in 0..<20 { tar.add("m\(index)") } }, "has more than 16 members"),
      (RawArchive.tarIpk([Self.binary, plain[2], ("data.tar", [UInt8](repeating: 0x5a, count: 5000))]), "p.ipk (data.tar): "),
      (Array(RawArchive.tarIpk(plain).dropLast(2000)), "p.ipk"), ([UInt8](repeating: 65, count: 2000), "is not an ar archive, and no compressed tar"),
      (try Packer.pack(try Packer.pack(RawArchive.tarIpk(plain), "gzip"), "xz"), "compressed more than once"),
    ] { #expect(refusal(bytes).contains(word), "\(word): \(refusal(bytes))") }
  }

  /// A small file may not unpack to anything, through however many layers.
  @Test func bombsInBombs() throws {
    let zeros = RawTar.of { $0.add("zeros", data: [UInt8](repeating: 0, count: 96 << 20)) }
    let once = try Packer.pack(RawArchive.tarIpk([Self.binary, ("control.tar", Self.control), ("data.tar", zeros)]), "gzip")
    #expect(refusal(once).contains("unpacks to more than 100 times its size"), "\(refusal(once))")
    let twice = try Packer.pack(
      RawArchive.tarIpk([Self.binary, ("control.tar", Self.control), ("data.tar.gz", try Packer.pack(zeros, "gzip"))]), "gzip")
    #expect(refusal(twice).contains("entry 'zeros' is refused: the package unpacks to more than 100 times its size"), "\(refusal(twice))")
  }
}
