import BuildModel
import Foundation
import TestFiles
import TestPeers
import Testing

@testable import OCIImage

/// Layers laid over each other. The kernel's own overlay mount is the judge in `agreesWithTheKernel`.
@Suite struct ImageTreeTests {
  typealias Member = TarReaderTests.Member

  static func directory(_ path: String, mode: UInt32 = 0o755) -> Member {
    var entry = TarReaderTests.entry(path, .directory)
    entry.mode = mode
    return Member(entry: entry)
  }
  static func file(_ path: String, _ text: String = "") -> Member { TarReaderTests.file(path, text) }
  static func link(_ path: String, to target: String) -> Member {
    Member(entry: TarReaderTests.entry(path, .symlink(target: Array(target.utf8))))
  }
  static func hardlink(_ path: String, to target: String) -> Member {
    Member(entry: TarReaderTests.entry(path, .hardlink(target: Array(target.utf8))))
  }

  /// An image of these layers, whose files are below `root`.
  static func image(_ layers: [[Member]], in root: String) throws -> StoredImage {
    let tars = try layers.map { try TarReaderTests.tar($0) }
    var parts: [LayerPart] = []
    for (number, tar) in tars.enumerated() {
      let path = "\(root)/layer-\(number)"
      try Data(tar).write(to: URL(filePath: path))
      parts.append(LayerPart(digest: nil, path: path, offset: 0, size: Int64(tar.count), followsLinks: false))
    }
    return try StoredImage(
      names: [], manifest: nil, configBytes: StoredImageTests.imageConfig(tars.map(StoredImageTests.hex)), parts: parts, what: "test")
  }

  /// Paths with a letter for the kind, and the text's size of a file.
  static func listing(_ tree: ImageTree) -> [String] {
    tree.entries.map { path, entry in
      let text = String(decoding: path, as: UTF8.self)
      switch entry.kind {
      case .directory: return "d \(text)"
      case .file(let size, _): return "f \(text) \(size)"
      case .symlink(let target): return "l \(text) \(String(decoding: target, as: UTF8.self))"
      case .characterDevice, .blockDevice, .fifo: return "o \(text)"
      }
    }.sorted()
  }

  struct Case: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var layers: [[Member]]
    var expected: [String]
  }

  static let cases: [Case] = [
    Case(testDescription: "a directory over a file", layers: [[file("a", "1")], [directory("a"), file("a/b")]], expected: ["d a", "f a/b 0"]),
    Case(testDescription: "a directory that is only implied over a file", layers: [[file("a", "1")], [file("a/b")]], expected: ["d a", "f a/b 0"]),
    Case(
      testDescription: "an implied directory over a link", layers: [[directory("u"), link("a", to: "u")], [file("a/b")]],
      expected: ["d a", "d u", "f a/b 0"]),
    Case(testDescription: "a file over a directory", layers: [[directory("a"), file("a/b")], [file("a", "1")]], expected: ["f a 1"]),
    Case(
      testDescription: "a directory over a file over a directory",
      layers: [[directory("a"), file("a/old")], [file("a")], [directory("a"), file("a/new")]], expected: ["d a", "f a/new 0"]),
    Case(
      testDescription: "a directory over a directory", layers: [[directory("a"), file("a/1"), file("a/2")], [directory("a"), file("a/2", "xx")]],
      expected: ["d a", "f a/1 0", "f a/2 2"]),
    Case(
      testDescription: "whiteouts",
      layers: [[directory("a"), file("a/b"), file("c")], [directory("a"), file("a/.wh.b"), file(".wh.c"), file(".wh.none")]], expected: ["d a"]),
    Case(
      testDescription: "an opaque directory", layers: [[directory("a"), file("a/b")], [directory("a"), file("a/.wh..wh..opq"), file("a/c")]],
      expected: ["d a", "f a/c 0"]),
    Case(
      testDescription: "an opaque directory that is only implied", layers: [[directory("a"), file("a/b")], [file("a/.wh..wh..opq")]],
      expected: ["d a"]),
    Case(
      testDescription: "an opaque root, which overlayfs merges all the same", layers: [[file("a"), file("b")], [file(".wh..wh..opq"), file("c")]],
      expected: ["f a 0", "f b 0", "f c 0"]),
    Case(
      testDescription: "a whiteout, and the directory anew",
      layers: [[directory("a"), file("a/old")], [file(".wh.a"), directory("a"), file("a/new")]], expected: ["d a", "f a/new 0"]),
    Case(
      testDescription: "the directory anew, and then the whiteout",
      layers: [[directory("a"), file("a/old")], [directory("a"), file("a/new"), file(".wh.a")]], expected: ["d a", "f a/new 0"]),
    Case(testDescription: "a whiteout, and a file anew", layers: [[file("a", "1")], [file(".wh.a"), file("a", "22")]], expected: ["f a 2"]),
    Case(
      testDescription: "a whiteout hides nothing of its own layer, nor of later ones",
      layers: [[file("a")], [file(".wh.a")], [file("a", "333")]], expected: ["f a 3"]),
    Case(
      testDescription: "a device 0:0 is a whiteout",
      layers: [[file("a")], [Member(entry: TarReaderTests.entry("a", .characterDevice(major: 0, minor: 0)))]], expected: []),
  ]

  @Test(arguments: cases) func merges(_ one: Case) throws {
    try withScratchDirectory { root in
      let found = Self.listing(try ImageTree(Self.image(one.layers, in: root)))
      #expect(found == one.expected.sorted())
    }
  }

  /// The same layers, unpacked as overlay2 does it and mounted by the kernel.
  @Test(.enabled(if: geteuid() == 0, "mounting needs root"), arguments: cases) func agreesWithTheKernel(_ one: Case) throws {
    try withScratchDirectory { root in
      _ = try Self.image(one.layers, in: root)
      let program = """
        import os, stat, subprocess, sys, tarfile
        root, count = sys.argv[1], int(sys.argv[2])
        os.mkdir(root + "/fs")
        subprocess.run(["mount", "-t", "tmpfs", "none", root + "/fs"], check=True)
        for number in range(count):
            base = f"{root}/fs/{number}"
            os.mkdir(base)
            gone = []
            for member in tarfile.open(f"{root}/layer-{number}"):
                parent, name = os.path.split(f"{base}/{member.name}")
                os.makedirs(parent, exist_ok=True)
                if name == ".wh..wh..opq": os.setxattr(parent, "trusted.overlay.opaque", b"y")
                elif name.startswith(".wh."): gone.append(f"{parent}/{name[4:]}")
                elif member.isdir(): os.makedirs(f"{parent}/{name}", exist_ok=True)
                elif member.issym(): os.symlink(member.linkname, f"{parent}/{name}")
                elif member.ischr(): os.mknod(f"{parent}/{name}", stat.S_IFCHR, os.makedev(member.devmajor, member.devminor))
                else: open(f"{parent}/{name}", "w").write("x" * member.size)
            # image-spec: a whiteout is for lower layers; a directory of its own layer is a new one.
            for path in gone:
                if os.path.isdir(path): os.setxattr(path, "trusted.overlay.opaque", b"y")
                elif not os.path.lexists(path): os.mknod(path, stat.S_IFCHR, os.makedev(0, 0))
        os.mkdir(root + "/fs/merged")
        os.mkdir(root + "/fs/empty")
        lower = ":".join(f"{root}/fs/{number}" for number in reversed(range(count))) + f":{root}/fs/empty"
        subprocess.run(["mount", "-t", "overlay", "-o", "lowerdir=" + lower, "none", root + "/fs/merged"], check=True)
        found = []
        for place, directories, files in os.walk(root + "/fs/merged"):
            for name in directories + files:
                path = os.path.join(place, name)
                short = os.path.relpath(path, root + "/fs/merged")
                if os.path.islink(path): found.append(f"l {short} {os.readlink(path)}")
                elif os.path.isdir(path): found.append(f"d {short}")
                else: found.append(f"f {short} {os.path.getsize(path)}")
        print("\\n".join(sorted(found)))
        """
      let text = try Tool.run(["unshare", "--mount", "--propagation", "private", "python3", "-c", program, root, "\(one.layers.count)"])
      #expect(text.split(separator: "\n").map(String.init) == one.expected.sorted())
    }
  }

  /// An upper layer's directory is what shows, also one that was made only on the way to something.
  @Test func directoriesHaveTheUpperLayersAttributes() throws {
    try withScratchDirectory { root in
      let layers = [[Self.directory("a", mode: 0o1777), Self.directory("b", mode: 0o700)], [Self.directory("a", mode: 0o711), Self.file("b/c")]]
      let tree = try ImageTree(Self.image(layers, in: root))
      #expect(tree.entries[Array("a".utf8)]?.mode == 0o711)
      #expect(tree.entries[Array("b".utf8)]?.mode == 0o755)
      #expect(tree.layerEntries == [2, 2])
    }
  }

  @Test func namesOfOneFileKnowEachOther() throws {
    try withScratchDirectory { root in
      let one = [Self.file("a", "x"), Self.hardlink("b", to: "a"), Self.hardlink("c", to: "./b")]
      let tree = try ImageTree(Self.image([one, [Self.file("a", "y")]], in: root))
      let names = tree.entries.mapValues { String(decoding: $0.firstName, as: UTF8.self) }
      #expect(names == [Array("a".utf8): "a", Array("b".utf8): "b", Array("c".utf8): "b"])
    }
  }

  @Test(arguments: [
    ([file("a"), file("./a")], "names './a' twice"), ([directory("a"), file("a")], "names 'a' twice"), ([file("a"), file("a/b")], "not a directory"),
    ([link("a", to: "/etc"), file("a/b")], "not a directory"), ([hardlink("b", to: "a"), file("a")], "does not have before it"),
    ([directory("a"), hardlink("b", to: "a")], "hard link to a directory"), ([file(".wh.")], "whiteout without a name"),
    ([file(".wh..")], "whiteout without a name"), ([file(".wh.a"), file(".wh.a")], "names '.wh.a' twice"),
    ([file(".wh.a"), hardlink("b", to: "a")], "does not have before it"), ([file("\u{1B}[31m"), file("\u{1B}[31m")], #"'\u{1b}[31m' twice"#),
  ]) func refusesWhatNoEngineUnpacks(_ members: [Member], _ words: String) throws {
    try withScratchDirectory { root in
      let path = root + "/layer"
      let tar = try TarReaderTests.rawTar(members)
      try Data(tar).write(to: URL(filePath: path))
      let part = LayerPart(digest: nil, path: path, offset: 0, size: Int64(tar.count), followsLinks: false)
      let image = try StoredImage(
        names: [], manifest: nil, configBytes: StoredImageTests.imageConfig([StoredImageTests.hex(tar)]), parts: [part], what: "test")
      let error = #expect(throws: OCIImageError.self) { try ImageTree(image) }
      #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
    }
  }
}
