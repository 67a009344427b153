import Glibc
import Testing

@testable import Feed

@Suite struct IpkTests {
  /// Entries of a package with the given data archive, file contents as text.
  func read(_ ipk: [UInt8], limits: IpkLimits = IpkLimits()) throws -> [(IpkEntry, String)] {
    try withScratchDirectory { scratch in
      try write(ipk, to: scratch + "/p.ipk")
      let package = try Ipk(path: scratch + "/p.ipk")
      var found: [(IpkEntry, [UInt8])] = []
      try package.readData(package: "p", limits: limits) { entry in
        found.append((entry, []))
        return { found[found.count - 1].1 += Array($0) }
      }
      return found.map { ($0.0, String(decoding: $0.1, as: UTF8.self)) }
    }
  }

  func refusal(_ ipk: [UInt8], limits: IpkLimits = IpkLimits()) -> String {
    let error = #expect(throws: FeedError.self) { try read(ipk, limits: limits) }
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

  struct Hostile: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var rule: String
    var build: @Sendable (inout RawTar) -> Void
  }

  static let hostile: [Hostile] = [
    Hostile(testDescription: "absolute", rule: "absolute path") { $0.add("/etc/passwd") },
    Hostile(testDescription: "dot dot", rule: "'..'") { $0.add("./a/../../b") },
    Hostile(testDescription: "dot dot in pax", rule: "'..'") { $0.add("a", pax: [("path", Array("a/../../b".utf8))]) },
    Hostile(testDescription: "link out", rule: "hard link target") { $0.add("a", type: "1", link: "../../etc/passwd") },
    Hostile(testDescription: "absolute link", rule: "hard link target") { $0.add("a", type: "1", link: "/etc/passwd") },
    Hostile(testDescription: "fifo", rule: "only files") { $0.add("pipe", type: "6") },
    Hostile(testDescription: "root as file", rule: "root must be") {
      $0.add("./"); $0.add(".", data: [1])
    },
    Hostile(testDescription: "long name", rule: "255 bytes") { $0.add("a", pax: [("path", [UInt8](repeating: 97, count: 300))]) },
    Hostile(testDescription: "long path", rule: "4096 bytes") { $0.add("a", pax: [("path", Array(String(repeating: "ab/", count: 1400).utf8))]) },
    Hostile(testDescription: "access list", rule: "access control") {
      $0.add("a", pax: [("SCHILY.acl.access", Array("user::rw-,user:joe:rwx,group::r--,mask::rwx,other::r--".utf8))])
    },
    Hostile(testDescription: "size beyond the archive", rule: "data.tar") { $0.add("a", data: [1, 2, 3], size: 1 << 30) },
    Hostile(testDescription: "broken checksum", rule: "data.tar") {
      $0.add("a")
      $0.append([UInt8](repeating: 0x41, count: 512))
    },
  ]

  @Test(arguments: hostile) func refuses(_ hostile: Hostile) {
    var tar = RawTar()
    tar.add("./ok", data: [1])
    hostile.build(&tar)
    let text = refusal(RawArchive.ipk(data: tar.finished()))
    #expect(text.contains(hostile.rule), "\(text)")
  }

  @Test func limits() {
    var tar = RawTar()
    for index in 0..<20 { tar.add("file-\(index)", data: [UInt8](repeating: 1, count: 1000)) }
    var few = IpkLimits()
    few.entries = 10
    #expect(refusal(RawArchive.ipk(data: tar.finished()), limits: few).contains("more than 10 entries"))
    var small = IpkLimits()
    small.bytes = 5000
    #expect(refusal(RawArchive.ipk(data: tar.finished()), limits: small).contains("file-5"))
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
