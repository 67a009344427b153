import Blocks
import BuildModel
import Foundation
import TestFiles
import TestPeers
import Testing

@Suite struct BlockRefusalTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var testDescription: String
    /// Entries of the packages `first` and `second` (JSON).
    var first: String
    var second: String
    var words: [String]
  }

  static let cases: [Case] = [
    Case(
      testDescription: "other content", first: #"{"path": "etc/x", "type": "file", "text": "a"}"#,
      second: #"{"path": "etc/x", "type": "file", "text": "b"}"#,
      words: ["etc/x", "first", "second", "content"]),
    Case(
      testDescription: "other mode", first: #"{"path": "x", "type": "file", "mode": "644"}"#,
      second: #"{"path": "x", "type": "file", "mode": "4755"}"#,
      words: ["x", "first", "second", "mode"]),
    Case(
      testDescription: "other attributes", first: #"{"path": "x", "type": "file"}"#,
      second: #"{"path": "x", "type": "file", "xattrs": {"user.a": "00"}}"#,
      words: ["first", "second", "attributes"]),
    Case(
      testDescription: "other link", first: #"{"path": "x", "type": "symlink", "link": "a"}"#,
      second: #"{"path": "x", "type": "symlink", "link": "b"}"#,
      words: ["first", "second", "targets"]),
    Case(
      testDescription: "directory and file", first: #"{"path": "x", "type": "dir"}"#, second: #"{"path": "x", "type": "file"}"#,
      words: ["first", "second", "kind"]),
    Case(
      testDescription: "through a link of another package", first: #"{"path": "lib", "type": "symlink", "link": "/etc"}"#,
      second: #"{"path": "lib/passwd", "type": "file", "text": "root"}"#, words: ["lib/passwd", "second", "first", "no directory"]),
    Case(
      testDescription: "through a link of its own", first: #"{"path": "a", "type": "dir"}"#,
      second: #"{"path": "l", "type": "symlink", "link": "../.."}, {"path": "l/x", "type": "file"}"#, words: ["l/x", "second", "no directory"]),
    Case(
      testDescription: "below a file", first: #"{"path": "x", "type": "file"}"#, second: #"{"path": "x/y", "type": "file"}"#,
      words: ["x/y", "no directory"]),
    Case(
      testDescription: "link to a file of another package", first: #"{"path": "x", "type": "file"}"#,
      second: #"{"path": "y", "type": "hardlink", "link": "x"}"#, words: ["second", "'x'", "hard link"]),
    Case(
      testDescription: "link to itself", first: #"{"path": "x", "type": "file"}"#,
      second: #"{"path": "y", "type": "hardlink", "link": "y"}"#, words: ["second", "hard link"]),
    Case(
      testDescription: "twice in one package", first: #"{"path": "x", "type": "file", "text": "a"}, {"path": "x", "type": "file", "text": "a"}"#,
      second: #"{"path": "y", "type": "dir"}"#, words: ["first", "twice"]),
    Case(
      testDescription: "whiteout", first: #"{"path": "bin/.wh.sh", "type": "file"}"#, second: #"{"path": "y", "type": "dir"}"#,
      words: ["first", ".wh.sh"]),
    Case(
      testDescription: "opaque directory", first: #"{"path": "bin/.wh..wh..opq", "type": "file"}"#, second: #"{"path": "y", "type": "dir"}"#,
      words: ["first", "lower layers"]),
    Case(
      testDescription: "device", first: #"{"path": "x", "type": "char", "device": [1, 3]}"#, second: #"{"path": "y", "type": "dir"}"#,
      words: ["'/x'", "first", "devices"]),
    Case(
      testDescription: "overlay attribute", first: #"{"path": "bin", "type": "dir", "xattrs": {"trusted.overlay.opaque": "79"}}"#,
      second: #"{"path": "y", "type": "dir"}"#, words: ["first", "trusted.overlay.opaque"]),
  ]

  @Test(arguments: cases) func refuses(_ one: Case) throws {
    try withScratchDirectory { scratch in
      let description = """
        [{"name": "first", "version": "1", "arch": "all", "compression": "none", "entries": [\(one.first)]},
         {"name": "second", "version": "1", "arch": "all", "compression": "none", "entries": [\(one.second)]}]
        """
      let feed = try TestFeed(in: scratch, description: description)
      let error = #expect(throws: BlocksError.self) { try feed.assemble(TestFeed.spec(["first", "second"]), in: scratch + "/work") }
      let text = error?.description ?? ""
      for word in one.words + ["acme-tools"] { #expect(text.contains(word), "\(text)") }
      // Nothing half-written.
      #expect(try FileManager.default.contentsOfDirectory(atPath: scratch + "/work/blobs/sha256").isEmpty)
      #expect(try FileManager.default.contentsOfDirectory(atPath: scratch + "/work/blobs/ingest").isEmpty)
    }
  }

  @Test(arguments: ["allowed", "deletes", "other numbers"]) func devices(_ kind: String) throws {
    try withScratchDirectory { scratch in
      let first = kind == "deletes" ? "[0, 0]" : "[1, 3]"
      let second = kind == "other numbers" ? "[1, 5]" : "[1, 3]"
      let description = """
        [{"name": "first", "version": "1", "arch": "all", "entries": [{"path": "d", "type": "dir"}, {"path": "d/x", "type": "char", "device": \(first)}]},
         {"name": "second", "version": "1", "arch": "all", "entries": [{"path": "d/x", "type": "char", "device": \(kind == "deletes" ? first : second)},
          {"path": "d/y", "type": "block", "mode": "660", "gid": 6, "device": [259, 1048575]}]}]
        """
      let feed = try TestFeed(in: scratch, description: description)
      var spec = try TestFeed.spec(["first", "second"])
      spec.allowsDevices = true
      guard kind == "allowed" else {
        let error = #expect(throws: BlocksError.self) { try feed.assemble(spec, in: scratch + "/work") }
        for word in ["d/x", "first"] { #expect(error?.description.contains(word) == true, "\(error?.description ?? "")") }
        return
      }
      let (result, store) = try feed.assemble(spec, in: scratch + "/work")
      let tree = try TreeEntry.list("tar", [store.path(result.layers[0].blob.digest)])
      #expect(tree.map(\.type) == ["dir", "char", "block"])
      #expect(tree.map(\.link) == [nil, "1:3", "259:1048575"])
      #expect(try BlockVerification.verify(result, against: spec, in: store).count == 1)
      spec.allowsDevices = false
      #expect(throws: BlocksError.self) { try BlockVerification.verify(result, against: spec, in: store) }
    }
  }

  @Test func missingPackageNamesTheNearestAndTheRecipe() throws {
    try withScratchDirectory { scratch in
      let feed = try TestFeed(in: scratch)
      let error = #expect(throws: BlocksError.self) {
        try feed.assemble(TestFeed.spec(["base-files", "firmwear"], recipes: ["acme-firmware"]), in: scratch + "/work")
      }
      let text = error?.description ?? ""
      for word in ["acme-tools", "'firmwear'", "nearest: firmware", "acme-firmware"] { #expect(text.contains(word), "\(text)") }
    }
  }

  @Test func globsAreNoNames() {
    #expect(throws: InvalidName.self) { try PackageName("lib*") }
    #expect(throws: InvalidName.self) { try PackageName("lib?") }
  }

  @Test(arguments: [0, 7, 70, 200, 3000])
  func damagedPackage(_ offset: Int) throws {
    try withScratchDirectory { scratch in
      let feed = try TestFeed(in: scratch)
      var bytes = try Data(contentsOf: URL(fileURLWithPath: feed.files[1]))
      bytes[offset] ^= 0x40
      try bytes.write(to: URL(fileURLWithPath: feed.files[1]))
      let error = #expect(throws: BlocksError.self) { try feed.assemble(TestFeed.spec(), in: scratch + "/work") }
      #expect(error?.description.contains("firmware_1.10-r0_acme_board.ipk") == true, "\(error?.description ?? "")")
    }
  }

  /// 256 MiB of zeros in a package of a few kilobytes.
  @Test func bomb() throws {
    try withScratchDirectory { scratch in
      let feed = try TestFeed(in: scratch, description: #"[{"name": "p", "version": "1", "arch": "all", "entries": []}]"#)
      let script = """
        set -e; cd '\(scratch)'; echo 2.0 > debian-binary; ar p feed/all/p_1_all.ipk control.tar.gz > control.tar.gz
        truncate -s 256M zeros; tar -cf - zeros | zstd -qc > data.tar.zst; rm zeros feed/all/p_1_all.ipk
        ar qcD feed/all/p_1_all.ipk debian-binary control.tar.gz data.tar.zst
        sed -i "s/^Size: .*/Size: $(stat -c %s feed/all/p_1_all.ipk)/; s/^SHA256sum: .*/SHA256sum: $(sha256sum feed/all/p_1_all.ipk | cut -d' ' -f1)/" feed/all/Packages
        """
      try Tool.run("bash", "-c", script)
      let error = #expect(throws: BlocksError.self) { try feed.assemble(TestFeed.spec(["p"]), in: scratch + "/work") }
      #expect(error?.description.contains("times its size") == true, "\(error?.description ?? "")")
    }
  }
}
