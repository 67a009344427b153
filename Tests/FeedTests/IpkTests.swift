import Glibc
import TestArchives
import TestFiles
import Testing

@testable import Feed

@Suite struct IpkTests {
  /// Entries of a package with the given data archive, file contents as text.
  func read(_ ipk: [UInt8]) throws -> [(IpkEntry, String)] {
    try withScratchDirectory { scratch in
      try write(ipk, to: scratch + "/p.ipk")
      let package = try Ipk(path: scratch + "/p.ipk")
      var found: [(IpkEntry, [UInt8])] = []
      try package.readData(package: "p") { entry in
        found.append((entry, []))
        return { found[found.count - 1].1 += Array($0) }
      }
      return found.map { ($0.0, String(decoding: $0.1, as: UTF8.self)) }
    }
  }

  func refusal(_ ipk: [UInt8]) -> String {
    let error = #expect(throws: FeedError.self) { try read(ipk) }
    return error?.description ?? ""
  }

  @Test func readsWhatTarSays() throws {
    var tar = RawTar()
    tar.add("./", type: "5", mode: 0o755)
    tar.add("./usr//bin/", type: "5", mode: 0o1777)
    tar.add("./usr/bin/su", data: Array("hello".utf8), mode: 0o4755)
    tar.add("./usr/bin/again", type: "1", link: "./usr/bin/su")
    tar.add("./lib", type: "2", link: "../usr/lib")
    let found = try read(RawArchive.ipk(data: tar.finished()))
    #expect(found.map(\.0.pathText) == ["", "usr/bin", "usr/bin/su", "usr/bin/again", "lib"])
    #expect(found[1].0.mode == 0o1777)
    #expect(found[2].0.mode == 0o4755)
    #expect(found[2].1 == "hello")
    #expect(found[3].0.kind == .hardlink(target: Array("usr/bin/su".utf8)))
    #expect(found[4].0.kind == .symlink(target: Array("../usr/lib".utf8)))
  }

  /// The program runs in the C locale, where libarchive cannot convert names of pax headers.
  @Test func keepsUTF8AndBinaryAttributes() throws {
    // Test programs take over the locale of their environment; ours do not.
    setlocale(LC_ALL, "C")
    let long = "straße/" + String(repeating: "ü", count: 100)
    let value: [UInt8] = [1, 0, 10, 0xff, 0]
    var tar = RawTar()
    tar.add("short", pax: [("path", Array(long.utf8)), ("SCHILY.xattr.user.x", value)])
    tar.add("link", type: "2", link: "x", pax: [("linkpath", Array(long.utf8))])
    tar.add("plain-ä")
    let found = try read(RawArchive.ipk(data: tar.finished()))
    #expect(found.map(\.0.pathText) == [long, "link", "plain-ä"])
    #expect(found[0].0.xattrs == ["user.x": value])
    #expect(found[1].0.kind == .symlink(target: Array(long.utf8)))
  }

  @Test func listsMaintainerScripts() throws {
    try withScratchDirectory { scratch in
      try write(RawArchive.ipk(data: RawTar().finished(), scripts: ["postinst", "prerm", "conffiles"]), to: scratch + "/p.ipk")
      #expect(try Ipk(path: scratch + "/p.ipk").maintainerScripts() == ["postinst", "prerm"])
    }
  }

  static let good = RawArchive.ipk(data: RawTar().finished())
  static let head = Array("!<arch>\n".utf8)

  @Test(
    arguments: [
      ("nothing", [], "too short"),
      ("no archive", [UInt8](repeating: 65, count: 200), "not an ar archive"),
      ("truncated header", Array(good.dropLast(good.count - 100)), "broken member header"),
      ("truncated member", Array(good.dropLast(600)), "larger than the file"),
      ("size that overflows", head + RawArchive.member("debian-binary", Array("2.0\n".utf8), size: "9999999999"), "larger than the file"),
      ("negative size", head + RawArchive.member("debian-binary", Array("2.0\n".utf8), size: "-60"), "larger than the file"),
      ("no size", head + RawArchive.member("debian-binary", Array("2.0\n".utf8), size: "x"), "larger than the file"),
      ("wrong end of header", head + RawArchive.member("debian-binary", Array("2.0\n".utf8), end: "xx"), "broken member header"),
      ("other first member", head + RawArchive.member("first", Array("2.0\n".utf8)), "debian-binary"),
      ("two data archives", good + RawArchive.member("data.tar.gz", [1]), "2 members"),
      ("no data archive", head + RawArchive.member("debian-binary", [50]) + RawArchive.member("control.tar", [1, 2]), "0 members"),
      ("many members", head + (0..<20).flatMap { RawArchive.member("m\($0)", [1]) }, "more than 16"),
      (
        "garbage for data",
        head + RawArchive.member("debian-binary", [50]) + RawArchive.member("control.tar", [1, 2])
          + RawArchive.member("data.tar.gz", [UInt8](repeating: 0x5a, count: 5000)), "data.tar.gz"
      ),
    ] as [(String, [UInt8], String)])
  func refusesArchive(_ name: String, _ bytes: [UInt8], _ word: String) {
    let text = refusal(bytes)
    #expect(text.contains(word), "\(name): \(text)")
  }
}
