import TestArchives
import Testing

@testable import Feed

/// Data archives that lie, and the words that their refusal must hold beside the package and the entry.
struct HostileArchive: Sendable, CustomTestStringConvertible {
  var testDescription: String
  /// The entry that the message has to name; nil where the archive itself is broken.
  var entry: String?
  var rule: String
  var build: @Sendable (inout RawTar) -> Void

  init(_ description: String, entry: String?, _ rule: String, build: @escaping @Sendable (inout RawTar) -> Void) {
    testDescription = description
    self.entry = entry
    self.rule = rule
    self.build = build
  }

  static let all: [HostileArchive] = [
    // Paths.
    Self("absolute path", entry: "/etc/passwd", "absolute path") { $0.add("/etc/passwd") },
    Self("absolute path in pax", entry: "/etc/passwd", "absolute path") { $0.add("a", pax: [("path", Array("/etc/passwd".utf8))]) },
    Self("dot dot", entry: "./a/../../b", "'..'") { $0.add("./a/../../b") },
    Self("dot dot that stays inside", entry: "a/../b", "'..'") { $0.add("a/../b") },
    Self("dot dot in pax", entry: "a/../../b", "'..'") { $0.add("a", pax: [("path", Array("a/../../b".utf8))]) },
    Self("dot dot alone", entry: "..", "'..'") { $0.add("..", type: "5") },
    Self("root as a file", entry: ".", "root must be") { $0.add(".", data: [1]) },
    Self("root as a link", entry: "./", "root must be") { $0.add("./", type: "2", link: "/etc") },
    Self("long name", entry: "aaaa", "255 bytes") { $0.add("a", pax: [("path", [UInt8](repeating: 97, count: 300))]) },
    Self("long path", entry: "ab/ab", "4096 bytes") { $0.add("a", pax: [("path", Array(String(repeating: "ab/", count: 1400).utf8))]) },
    // Twice, and through links.
    Self("file twice", entry: "x", "given twice") {
      $0.add("x", data: [1])
      $0.add("x", data: [1])
    },
    Self("file twice, spelt otherwise", entry: "./x", "given twice") {
      $0.add("x", data: [1])
      $0.add("./x", data: [2])
    },
    Self("directory, then file", entry: "x", "given twice") {
      $0.add("x", type: "5")
      $0.add("x", data: [1])
    },
    Self("file, then directory", entry: "x/", "given twice") {
      $0.add("x", data: [1])
      $0.add("x/", type: "5")
    },
    Self("link, then directory", entry: "x/", "given twice") {
      $0.add("x", type: "2", link: "/etc")
      $0.add("x/", type: "5")
    },
    Self("through a link", entry: "lib/passwd", "its parent 'lib' is no directory but a symbolic link") {
      $0.add("lib", type: "2", link: "/etc")
      $0.add("lib/passwd", data: [1])
    },
    Self("through a link further up", entry: "lib/a/b/c", "its parent 'lib' is no directory") {
      $0.add("lib", type: "2", link: "../..")
      $0.add("lib/a/b/c", data: [1])
    },
    Self("through a link that comes later", entry: "lib", "written through") {
      $0.add("lib/passwd", data: [1])
      $0.add("lib", type: "2", link: "/etc")
    },
    Self("below a file", entry: "x/y", "its parent 'x' is no directory but a file") {
      $0.add("x", data: [1])
      $0.add("x/y", data: [1])
    },
    // Hard links.
    Self("hard link out", entry: "a", "hard link target: '..'") { $0.add("a", type: "1", link: "../../etc/passwd") },
    Self("absolute hard link", entry: "a", "hard link target: absolute") { $0.add("a", type: "1", link: "/etc/passwd") },
    Self("hard link to nothing", entry: "a", "'etc/passwd', which is no earlier file") { $0.add("a", type: "1", link: "etc/passwd") },
    Self("hard link to itself", entry: "a", "no earlier file") { $0.add("a", type: "1", link: "a") },
    Self("hard link to a later file", entry: "a", "no earlier file") {
      $0.add("a", type: "1", link: "b")
      $0.add("b")
    },
    Self("hard link to a directory", entry: "a", "no earlier file") {
      $0.add("d", type: "5")
      $0.add("a", type: "1", link: "d")
    },
    Self("hard link to a symbolic link", entry: "a", "no earlier file") {
      $0.add("l", type: "2", link: "/etc/passwd")
      $0.add("a", type: "1", link: "l")
    },
    // Kinds.
    Self("fifo", entry: "pipe", "only files") { $0.add("pipe", type: "6") },
    Self("empty link", entry: "l", "symbolic link") { $0.add("l", type: "2") },
    Self("access list", entry: "a", "access control") {
      $0.add("a", pax: [("SCHILY.acl.access", Array("user::rw-,user:joe:rwx,group::r--,mask::rwx,other::r--".utf8))])
    },
    Self("sparse file", entry: "a", "sparse") {
      $0.add(
        "GNUSparseFile.0/a", data: Array("1\n1000\n1\n".utf8) + [UInt8](repeating: 0, count: 503) + [65],
        pax: [
          ("GNU.sparse.major", [49]), ("GNU.sparse.minor", [48]), ("GNU.sparse.name", [97]), ("GNU.sparse.realsize", Array("1000000".utf8)),
        ])
    },
    // Headers that lie.
    Self("size beyond the archive", entry: nil, "data.tar") { $0.add("a", data: [1, 2, 3], size: 1 << 30) },
    Self("file of 4 GiB", entry: "a", "more than 4294967295 bytes") { $0.add("a", data: [1], size: 4 << 30) },
    Self("file of 8 EiB", entry: nil, "overflow") { $0.add("a", pax: [("size", Array("9223372036854775807".utf8))]) },
    // A directory's size is passed over by tar readers, so that what follows is no header.
    Self("directory with data", entry: nil, "data.tar") { $0.add("d", type: "5", data: [1, 2, 3]) },
    Self("broken checksum", entry: nil, "data.tar") {
      $0.add("a")
      $0.append([UInt8](repeating: 0x41, count: 512))
    },
    Self("owner beyond 32 bits", entry: "a", "owner 4294967296") { $0.add("a", pax: [("uid", Array("4294967296".utf8))]) },
    Self("pax header larger than itself", entry: nil, "data.tar") {
      $0.header("x", type: "x", size: 10, mode: 0o644, link: "")
      $0.append(Array("99 path=a\n".utf8))
      $0.add("a")
    },
    Self("pax header of 2 MiB", entry: nil, "too large") { $0.add("a", pax: [("comment", [UInt8](repeating: 97, count: 2 << 20))]) },
    // Each block of a sparse map says that another one follows: 8 MiB of header that libarchive would gather in memory.
    Self("endless sparse map", entry: "./ok", "headers of more than 4 MiB") {
      $0.header("a", type: "S", size: 0, mode: 0o644, link: "") { block in
        block.replaceSubrange(257..<265, with: Array("ustar  \u{0}".utf8))
        block.replaceSubrange(386..<409, with: Array("00000000001\u{0}00000000001".utf8))
        block[482] = 1
      }
      var map = [UInt8](repeating: 0, count: 512)
      for entry in 0..<21 {
        map.replaceSubrange(entry * 24..<entry * 24 + 23, with: Array("00000000001\u{0}00000000001".utf8))
      }
      map[504] = 1
      $0.append([[UInt8]](repeating: map, count: 16 << 10).flatMap { $0 })
    },
    Self("endless headers", entry: nil, "data.tar") {
      for _ in 0..<100 {
        $0.header("x", type: "L", size: 300, mode: 0o644, link: "")
        $0.append([UInt8](repeating: 97, count: 300))
      }
      $0.add("a")
    },
  ]
}
