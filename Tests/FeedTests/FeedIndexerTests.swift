import BuildModel
import Foundation
import Glibc
import TestFiles
import Testing

@testable import Feed

@Suite struct FeedIndexerTests {
  static let fields = """
    Package: NAME
    Version: 1.0-r0
    Description: Short
     and a second line: with a colon
     .
     and a third
    Section: base
    Priority: optional
    Maintainer: Acme Boards <boards@acme.example>
    License: MIT
    Architecture: ARCH
    OE: recipe
    Depends: libc6 (>= 2.35)
    X-Own: kept
    Source: NAME_1.0.bb
    Size: 1
    SHA256sum: nonsense

    """

  func feed(_ scratch: String) throws {
    let feed = try TestFeed(scratch)
    for (name, arch) in [("foo", "all"), ("foo-bar", "all"), ("foo+", "armv8a"), ("zlib", "armv8a")] {
      let fields = Self.fields.replacing("NAME", with: name).replacing("ARCH", with: arch)
      try feed.add(name, "1.0-r0", arch, fields: fields)
    }
  }

  /// What an independent reader (Python's own email and hashlib) makes of the packages and of the index must be the same.
  static let reader = #"""
    import email, glob, gzip, hashlib, io, json, os, subprocess, sys, tarfile
    root = sys.argv[1]
    for directory in sorted(os.listdir(root)):
        raw = open(f"{root}/{directory}/Packages", "rb").read()
        assert gzip.open(f"{root}/{directory}/Packages.gz").read() == raw, "Packages.gz"
        assert raw.endswith(b"\n\n")
        stanzas = [email.message_from_string(text) for text in raw.decode().strip("\n").split("\n\n")]
        files = sorted(os.path.basename(path) for path in glob.glob(f"{root}/{directory}/*.ipk"))
        assert [one["Filename"] for one in stanzas] == files, files
        for one in stanzas:
            path = f"{root}/{directory}/{one['Filename']}"
            data = open(path, "rb").read()
            assert one.get_all("Size") == [str(len(data))]
            assert one.get_all("SHA256sum") == [hashlib.sha256(data).hexdigest()]
            assert one.get_all("MD5Sum") == [hashlib.md5(data).hexdigest()]
            control = subprocess.run(["ar", "p", path, "control.tar"], stdout=subprocess.PIPE, check=True).stdout
            text = tarfile.open(fileobj=io.BytesIO(control)).extractfile("./control").read().decode()
            own = email.message_from_string(text)
            for key in own.keys():
                if key not in ("Size", "SHA256sum"):
                    assert one.get_all(key) == own.get_all(key), (key, one.get_all(key))
            assert one["Architecture"] == directory
    print("agreed", end="")
    """#

  @Test func agreesWithAnIndependentReader() throws {
    try withScratchDirectory { scratch in
      try feed(scratch + "/feed")
      #expect(
        try FeedIndexer(root: scratch + "/feed").run() == [
          .init(architecture: "all", packages: 2), .init(architecture: "armv8a", packages: 2),
        ])
      try write(Array(Self.reader.utf8), to: scratch + "/reader.py")
      #expect(String(decoding: try Packer.shell("python3 '\(scratch)/reader.py' '\(scratch)/feed'"), as: UTF8.self) == "agreed")
      #expect(try PackageFeed(root: scratch + "/feed", architectures: ["all", "armv8a"]).verify() == 4)
      let text = try String(contentsOfFile: scratch + "/feed/all/Packages", encoding: .utf8)
      let keys = text.prefix(upTo: try #require(text.range(of: "\n\n")).lowerBound).split(separator: "\n").filter { !$0.hasPrefix(" ") }
        .map { $0.prefix { $0 != ":" } }
      #expect(
        keys == [
          "Package", "Version", "Depends", "Section", "Architecture", "Maintainer", "MD5Sum", "SHA256sum", "Size", "Filename", "Source",
          "Description",
          "OE", "License", "Priority", "X-Own",
        ])
    }
  }

  /// OpenEmbedded writes an empty line of a description as one blank.
  @Test func blankLinesOfDescriptionsAreKept() throws {
    try withScratchDirectory { scratch in
      let fields = "Package: a\nVersion: 1\nDescription: One\n \n  \n two\n \nArchitecture: all\nLicense: MIT\n\n \n"
      try TestFeed(scratch).add("a", "1", "all", fields: fields)
      _ = try FeedIndexer(root: scratch).run()
      let text = try String(contentsOfFile: scratch + "/all/Packages", encoding: .utf8)
      #expect(text.contains("Description: One\n \n \n two\n \nLicense: MIT\n\n"), "\(text)")
      #expect(try PackageFeed(root: scratch, architectures: ["all"]).verify() == 1)
      #expect(try FeedCheck(root: scratch, architectures: nil, depth: .contents).run().findings == [])
    }
  }

  @Test func sameBytesAgainAndElsewhere() throws {
    try withScratchDirectory { scratch in
      var found: [[Data]] = []
      for place in ["one", "two"] {
        try feed("\(scratch)/\(place)")
        _ = try FeedIndexer(root: "\(scratch)/\(place)").run()
        if place == "two" { _ = try FeedIndexer(root: "\(scratch)/\(place)").run() }
        found.append(
          try ["all/Packages", "all/Packages.gz", "armv8a/Packages", "armv8a/Packages.gz"].map {
            try Data(contentsOf: URL(fileURLWithPath: "\(scratch)/\(place)/\($0)"))
          })
      }
      #expect(found[0] == found[1])
    }
  }

  @Test func anEmptiedDirectoryGetsAnEmptyIndex() throws {
    try withScratchDirectory { scratch in
      try write(Array("Package: old\n".utf8), to: scratch + "/all/Packages")
      try FileManager.default.createDirectory(atPath: scratch + "/any", withIntermediateDirectories: true)
      #expect(try FeedIndexer(root: scratch).run() == [.init(architecture: "all", packages: 0)])
      #expect(try Data(contentsOf: URL(fileURLWithPath: scratch + "/all/Packages")).isEmpty)
      #expect(try FeedCheck(root: scratch, architectures: nil, depth: .contents).run().findings.isEmpty)
    }
  }

  /// One bad package: no index of any directory changes, and nothing half-written stays.
  @Test(arguments: [
    ("Package: x\nVersion: 1\nArchitecture: all\n", "lies in 'armv8a'"), ("Package: ../x\nVersion: 1\nArchitecture: armv8a\n", "names no package"),
    ("Package: x\nVersion: 1/2\nArchitecture: armv8a\n", "no valid 'Version'"), ("Package: x\nPackage: y\n", "gives 'Package' twice"),
    ("Package: x\n\nPackage: y\n", "second stanza"), ("Package: zlib\nVersion: 1.00-r0\nArchitecture: armv8a\n", "nobody can say"),
  ])
  func oneBadPackageChangesNothing(_ fields: String, _ word: String) throws {
    try withScratchDirectory { scratch in
      try feed(scratch)
      _ = try FeedIndexer(root: scratch).run()
      let before = try Packer.shell("cd '\(scratch)' && find . -name 'Packages*' | sort | xargs sha256sum")
      try FileManager.default.removeItem(atPath: scratch + "/all/foo-bar_1.0-r0_all.ipk")
      try TestFeed(scratch).add("x", "1", "armv8a", fields: fields)
      let error = #expect(throws: FeedError.self) { try FeedIndexer(root: scratch).run() }
      #expect(
        error?.description.contains(word) == true && error?.description.contains("x_1_armv8a.ipk") == true, "\(error?.description ?? "")")
      #expect(try Packer.shell("cd '\(scratch)' && find . -name 'Packages*' | sort | xargs sha256sum") == before)
    }
  }

  /// Nothing but a regular file is replaced, and no index changes when one cannot be.
  @Test func replacesRegularFilesOnly() throws {
    try withScratchDirectory { scratch in
      try feed(scratch)
      _ = try FeedIndexer(root: scratch).run()
      let place = scratch + "/armv8a/Packages.gz"
      try FileManager.default.removeItem(atPath: place)
      try #require(mkfifo(place, 0o600) == 0)
      let before = try Packer.shell("cd '\(scratch)' && find . -name 'Packages*' -printf '%p %y %i\n' | sort")
      let error = #expect(throws: FeedError.self) { try FeedIndexer(root: scratch).run() }
      #expect(error?.description == "feed: \(place): exists and is a pipe, not a regular file; it is not replaced")
      #expect(error?.blame == .request)
      #expect(try Packer.shell("cd '\(scratch)' && find . -name 'Packages*' -printf '%p %y %i\n' | sort") == before)
    }
  }
}
