import Foundation
import TestFiles
import TestPeers
import Testing

/// The feed commands as people run them, and what hostile packages may cost.
@Suite(.serialized) struct FeedCommandTests {
  /// Python writes the packages: it shares nothing with the program.
  static let packages = #"""
    import gzip, io, lzma, os, subprocess, sys, tarfile
    root = sys.argv[1]
    os.makedirs(root + "/all")
    def member(name, data, size=None):
        return f"{name:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(data) if size is None else size:<10}`\n".encode() + data + b"\n" * (len(data) % 2)
    def package(name, kind, data, size=None, version="1.0"):
        fields = f"Package: {name}\nVersion: {version}\nArchitecture: all\nOE: recipe\n".encode()
        control = io.BytesIO()
        with tarfile.open(fileobj=control, mode="w") as tar:
            entry = tarfile.TarInfo("./control"); entry.size = len(fields); tar.addfile(entry, io.BytesIO(fields))
        with open(f"{root}/all/{name}_{version}_all.ipk", "wb") as out:
            out.write(b"!<arch>\n" + member("debian-binary", b"2.0\n") + member("control.tar", control.getvalue()) + member("data.tar" + kind, data, size))
    def header(name, size, kind=b"0", magic=b"ustar\x0000", extended=0):
        block = bytearray(512)
        def put(text, offset): block[offset:offset + len(text)] = text
        put(name.encode(), 0); put(b"0000644\0" + b"0000000\0" * 2, 100); put(b"%011o\0" % size, 124); put(b"%011o\0" % 0, 136)
        put(b" " * 8, 148); put(kind, 156); put(magic, 257)
        if extended: put(b"00000000001\x0000000000001", 386); block[482] = 1
        put(b"%06o\0 " % sum(block), 148)
        return bytes(block)
    def pack(program, pieces):
        child = subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        import threading
        def feed():
            for piece in pieces: child.stdin.write(piece)
            child.stdin.close()
        thread = threading.Thread(target=feed); thread.start()
        data = child.stdout.read(); thread.join(); assert child.wait() == 0
        return data
    zeros = bytes(1 << 20)
    def file(megabytes): return [header("zeros", megabytes << 20)] + [zeros] * megabytes + [bytes(1024)]
    zstd, gz = ["zstd", "-q", "-1", "-c"], ["gzip", "-1", "-c"]
    """#

  static let hostile: [(name: String, make: String, words: [String])] = [
    ("bomb-zst", #"package(name, ".zst", pack(zstd, file(3072)))"#, ["error content", "entry 'zeros'", "more than 100 times its size"]),
    ("bomb-gz", #"package(name, ".gz", pack(gz, file(512)))"#, ["error content", "entry 'zeros'", "more than 100 times its size"]),
    (
      "bomb-in-a-bomb", #"package(name, ".gz", gzip.compress(pack(zstd, file(512))))"#, ["error package", "compressed more than once"]
    ),
    (
      "million-entries", #"package(name, ".zst", pack(zstd, (header(f"file-{n}", 0) for n in range(1000000))))"#,
      ["error content", "entry 'file-", "more than"]
    ),
    (
      "member-of-4-gib", #"package(name, "", header("huge", 4 << 30) + bytes(2048))"#,
      ["error content", "entry 'huge'", "more than 4294967295 bytes"]
    ),
    (
      "endless-map",
      #"""
      block = bytearray(512); block[504] = 1
      for n in range(21): block[n * 24:n * 24 + 23] = b"00000000001\x0000000000001"
      package(name, ".zst", pack(zstd, [header("ok", 0), header("sparse", 0, b"S", b"ustar  \0", 1)] + [bytes(block) * 2048] * 1024))
      """#, ["error content", "entry 'ok'", "headers of more than 4 MiB"]
    ),
    ("truncated-member", #"package(name, "", bytes(1024), 9999999999)"#, ["is larger than the file"]),
  ]

  /// Refused with package, entry and rule named, in memory that has nothing to do with what would come out.
  @Test(arguments: hostile) func hostilePackage(_ one: (name: String, make: String, words: [String])) throws {
    try withScratchDirectory { scratch in
      let isIndexable = one.name != "truncated-member"
      try run("python3", "-c", Self.packages + "\nname = '\(one.name)'\n" + one.make, scratch + "/feed").check()
      let index = try blockfarm(scratch, "feed", "index", scratch + "/feed")
      guard isIndexable else {
        #expect(index.status == 2)
        for word in one.words { #expect(index.errors.contains(word), "\(index)") }
        #expect(try FileManager.default.contentsOfDirectory(atPath: scratch + "/feed/all") == [one.name + "_1.0_all.ipk"])
        return
      }
      #expect(index.status == 0, "\(index)")
      let ended = try run(
        "/usr/bin/time", "-f", "peak %M", SampleFarm.program("blockfarm"), "feed", "check", "--contents", scratch + "/feed", limit: 300)
      #expect(ended.status == 1)
      for word in one.words + ["all/\(one.name)_1.0_all.ipk"] { #expect(ended.output.contains(word), "\(ended)") }
      let peak = try #require(ended.errors.split(separator: "\n").last.flatMap { Int($0.split(separator: " ").last ?? "") }, "\(ended)")
      // A million entries hold 64 MiB of names and what keeps track of them at most; everything else needs a few MiB.
      #expect(peak < 300 << 10, "\(one.name): \(peak >> 10) MiB")
    }
  }

  @Test func checkListAndIndex() throws {
    try withScratchDirectory { scratch in
      let good = #"""
        for name, version in (("acme", "1.0"), ("acme", "1.0+rc1"), ("acme", "1.0~rc1"), ("tool", "2:1")): package(name, "", header("f", 0) + bytes(1024), None, version)
        """#
      try run("python3", "-c", Self.packages + "\n" + good, scratch + "/feed").check()
      let index = try blockfarm(scratch, "feed", "index", scratch + "/feed")
      #expect(index.status == 0 && index.output == "all: 4 packages\n", "\(index)")
      let check = try blockfarm(scratch, "feed", "check", "--contents", scratch + "/feed")
      #expect(check.status == 0 && check.output == "4 packages in all, 0 errors\n", "\(check)")

      let list = try blockfarm(scratch, "feed", "list", "file://" + scratch + "/feed", "--tune", "raspberrypi4-64", "--json")
      let packages = try JSON(list.output)["packages"].items
      #expect(packages.map { $0["version"].text } == ["1.0+rc1", "1.0", "1.0~rc1", "2:1"])
      #expect(packages.map { $0["best"].bool } == [true, false, false, true])
      #expect(list.output.contains("\"license\" : null"))
      let unordered = try blockfarm(scratch, "feed", "list", scratch + "/feed", "--json")
      #expect(unordered.output.contains("\"best\" : null"))

      try FileManager.default.createDirectory(atPath: scratch + "/feed/x86_64-nativesdk", withIntermediateDirectories: true)
      try FileManager.default.removeItem(atPath: scratch + "/feed/all/tool_2:1_all.ipk")
      let broken = try blockfarm(scratch, "feed", "check", scratch + "/feed", "--archs", "all any")
      #expect(broken.status == 1)
      #expect(
        broken.output == """
          notice directory x86_64-nativesdk: is not in PACKAGE_ARCHS and not used
          error file-missing all/tool_2:1_all.ipk: is listed but not there
          directory: 1
          file-missing: 1
          4 packages in all, 1 error

          """)
      let json = try blockfarm(scratch, "feed", "check", scratch + "/feed", "--archs", "all any", "--json")
      #expect(json.status == 1)
      #expect(try JSON(json.output)["findings"].items.map { $0["rule"].text } == ["directory", "file-missing"])
    }
  }

  @Test func usageMistakes() throws {
    try withScratchDirectory { scratch in
      for (arguments, word) in [
        (["check", scratch + "/nowhere"], "nowhere"), (["check", "https://feeds.example/ipk"], "--archs or --tune"),
        (["list", scratch, "--tune", "cortexa99"], "cortexa72"), (["list", scratch, "--tune", "cortexa72", "--archs", "all"], "exclude each other"),
        (["check", "ftp://feeds.example/ipk", "--archs", "all"], "only http and https"), (["index", scratch + "/nowhere"], "nowhere"),
      ] {
        let ended = try blockfarm(scratch, ["feed"] + arguments)
        #expect(ended.status == 2, "\(ended)")
        #expect(ended.errors.contains(word), "\(ended)")
      }
    }
  }

  func blockfarm(_ scratch: String, _ arguments: String...) throws -> Child.Ended { try blockfarm(scratch, arguments) }

  func blockfarm(_ scratch: String, _ arguments: [String]) throws -> Child.Ended {
    try run([try SampleFarm.program("blockfarm")] + arguments, limit: 120)
  }

  func run(_ arguments: String..., limit: Double = 120) throws -> Child.Ended { try run(arguments, limit: limit) }

  func run(_ arguments: [String], limit: Double) throws -> Child.Ended {
    try Child(arguments, environment: ["PATH": "/usr/bin:/bin", "HOME": "/nonexistent"], directory: "/", limit: limit).wait()
  }
}

extension Child.Ended {
  fileprivate func check(sourceLocation: SourceLocation = #_sourceLocation) throws {
    try #require(status == 0, "\(self)", sourceLocation: sourceLocation)
  }
}
