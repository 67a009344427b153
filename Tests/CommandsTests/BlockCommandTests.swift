import Foundation
import TestFiles
import TestGolden
import TestPeers
import Testing

/// `blockfarm block` as people call it, without a farm.
@Suite(.serialized) struct BlockCommandTests {
  /// A feed in a scratch directory, and the program beside it.
  struct Bench {
    private let scratch: ScratchDirectory
    var directory: String { scratch.path }
    static let archs = ["--archs", "all aarch64 acme_board"]

    /// `firmware` is the text in the firmware's only file; further versions of its package come on top.
    init(firmware: [(version: String, text: String)] = [("1.0", "firmware\n")]) throws {
      scratch = try ScratchDirectory()
      func package(_ version: String, _ text: String) -> [String: Any] {
        [
          "name": "acme-firmware", "version": version, "arch": "acme_board", "compression": "xz", "license": "CLOSED",
          "entries": [["path": "lib", "type": "dir"], ["path": "lib/firmware.bin", "type": "file", "mode": "644", "text": text]],
        ]
      }
      let tools: [String: Any] = [
        "name": "acme-tools", "version": "2.0", "arch": "all", "license": "GPLv2+ & MIT", "scripts": ["postinst"],
        "entries": [
          ["path": "usr", "type": "dir", "mode": "750"], ["path": "usr/tool", "type": "file", "mode": "4755", "uid": 7, "text": "tool\n"],
          ["path": "usr/same", "type": "hardlink", "link": "usr/tool"], ["path": "usr/link", "type": "symlink", "link": "../lib"],
          ["path": "usr/big", "type": "file", "mode": "600", "random": 1_500_000], ["path": "usr/bell\u{7}", "type": "file", "mode": "644"],
          [
            "path": "usr/ping", "type": "file", "mode": "755", "text": "p",
            "xattrs": ["security.capability": "0100000200200000000000000000000000000000"],
          ],
        ],
      ]
      let description = try JSONSerialization.data(withJSONObject: [tools] + firmware.map { package($0.version, $0.text) })
      try description.write(to: URL(filePath: directory + "/feed.json"))
      let made = try run(["sh", "-c", "python3 '\(Project.path)/Tests/BlocksTests/Fixtures/make-feed.py' feed < feed.json"])
      guard made.status == 0 else { throw PeerError(made.errors) }
    }

    func run(_ arguments: [String], environment: [String: String] = [:]) throws -> Child.Ended {
      let all = SampleFarm.environment(home: directory).merging(environment) { $1 }
      return try Child(arguments, environment: all, directory: directory).wait()
    }

    func block(_ arguments: String..., before: [String] = [], environment: [String: String] = [:]) throws -> Child.Ended {
      try run(before + [try SampleFarm.program("blockfarm"), "block"] + arguments, environment: environment)
    }

    /// The usual block into `output`; further arguments last.
    func build(
      _ output: String, _ arguments: [String] = [], feed: String = "feed", before: [String] = [], environment: [String: String] = [:]
    ) throws -> Child.Ended {
      try run(
        before + [try SampleFarm.program("blockfarm"), "block", "build", "--feed", feed] + Self.archs + [
          "--name", "acme", "--package", "acme-firmware", "--package", "acme-tools", "--platform", "linux/arm64/v8", "--label", "a=b",
          "--epoch", "1600000000", "--output", output,
        ] + arguments, environment: environment)
    }

    func data(_ name: String) throws -> Data { try Data(contentsOf: URL(filePath: directory + "/" + name)) }
  }

  func withBench(_ bench: Bench, _ body: (Bench) throws -> Void) throws {
    try withExtendedLifetime(bench) { try body(bench) }
  }

  /// Directory, locale, time zone, umask, number of cores, account: none of them is in the bytes.
  @Test(arguments: ["single", "by-architecture"]) func sameBytesEverywhere(_ layering: String) throws {
    try withBench(Bench()) { bench in
      let options = ["--layers", layering, "--sbom"]
      let first = try bench.build("first", options + ["first.spdx"])
      #expect(first.status == 0, "\(first)")
      _ = try bench.run(["cp", "-r", "feed", "a copy ü"])
      let places: [(name: String, feed: String, before: [String], environment: [String: String])] = [
        ("one-core", "feed", ["taskset", "-c", "0"], [:]), ("two-cores", "feed", ["taskset", "-c", "0,1"], [:]),
        ("umask", "feed", ["sh", "-c", "umask 077; exec \"$@\"", "sh"], [:]),
        ("zone", "feed", [], ["TZ": "Pacific/Auckland", "LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8"]), ("locale", "feed", [], ["LC_ALL": "C"]),
        ("elsewhere", "a copy ü", [], [:]), ("time", "feed", [], ["SOURCE_DATE_EPOCH": "5"]),
      ]
      for place in places {
        let made = try bench.build(
          place.name, options + [place.name + ".spdx"], feed: place.feed, before: place.before, environment: place.environment)
        #expect(made.status == 0 && made.output == first.output, "\(place.name): \(made)")
        for (file, other) in [("index.json", "index.json"), ("acme.lock.json", "acme.lock.json")] {
          #expect(try bench.data("\(place.name)/\(file)") == bench.data("first/\(other)"), "\(place.name)")
        }
        #expect(try bench.data(place.name + ".spdx") == bench.data("first.spdx"), "\(place.name)")
      }
    }
  }

  @Test func lockedBuildsAreTheSameOrNone() throws {
    try withBench(Bench()) { old in
      let first = try old.build("first")
      try withBench(Bench(firmware: [("1.0", "firmware\n"), ("1.1", "newer\n")])) { new in
        try old.data("first/acme.lock.json").write(to: URL(filePath: new.directory + "/lock"))
        #expect(try new.build("second").output != first.output)
        // The lock alone says packages, name and epoch.
        let feed = ["--feed", "feed"] + Bench.archs
        let program = try SampleFarm.program("blockfarm")
        let again = try new.run(
          [program, "block", "build", "--platform", "linux/arm64/v8", "--label", "a=b", "--locked", "lock", "--output", "third"] + feed)
        #expect(again.status == 0 && again.output == first.output, "\(again)")
        #expect(try new.data("third/acme.lock.json") == old.data("first/acme.lock.json"))
      }
      try withBench(Bench(firmware: [("1.0", "other bytes\n")])) { other in
        try old.data("first/acme.lock.json").write(to: URL(filePath: other.directory + "/lock"))
        let refused = try other.build("second", ["--locked", "lock"])
        #expect(refused.status == 2 && refused.output.isEmpty)
        #expect(refused.errors.contains("wants package acme-firmware 1.0 (acme_board, sha256:"), "\(refused.errors)")
        #expect(refused.errors.contains("the feed has 1.0 (acme_board, sha256:"))
        #expect(!FileManager.default.fileExists(atPath: other.directory + "/second/index.json"))
      }
    }
  }

  @Test func contractsGiveWhatABlockIs() throws {
    try withBench(Bench()) { bench in
      let contract = """
        {"slug": "acme-block", "type": "sw.image.overlay", "data": {"reboot-required": "0"}, "composedOf": [
          {"type": "sw.recipe.yocto", "slug": "acme-tools"}, {"type": "sw.recipe.yocto", "slug": "acme-idle"},
          {"type": "sw.package.yocto.ipk", "slug": "acme-tools"}]}
        """
      try Data(contract.utf8).write(to: URL(filePath: bench.directory + "/contract.json"))
      let common = ["--feed", "feed"] + Bench.archs + ["--contract", "contract.json", "--contracts", Project.path + "/deploy/sample/contracts"]
      let program = try SampleFarm.program("blockfarm")
      let made = try bench.run([program, "block", "build", "--device-type", "acme-board64", "--label", "own=1", "--output", "oci"] + common)
      #expect(made.status == 0, "\(made)")
      #expect(made.errors.contains("no listed package comes from acme-idle"))
      #expect(made.errors.contains("maintainer scripts of package acme-tools are not run: postinst"))
      struct Inspection: Decodable {
        var names: [String]
        var platform: String
        var labels: [String: String]
      }
      let found = try JSONDecoder().decode(Inspection.self, from: Data(bench.block("inspect", "oci", "--json").output.utf8))
      #expect(found.names == ["acme-block"])
      #expect(found.platform == "linux/arm64/v8")
      #expect(
        found.labels == [
          "io.balena.image.class": "overlay", "io.balena.image.store": "data", "io.balena.update.requires-reboot": "0",
          "io.balena.image.requires-reboot": "0", "own": "1",
        ])
      let unknown = try bench.run([program, "block", "build", "--device-type", "acme-nothing", "--output", "other"] + common)
      #expect(unknown.status == 2 && unknown.errors.contains("hw.device-type/acme-nothing"), "\(unknown)")
      let both = try bench.run([program, "block", "build", "--arch", "rpi", "--package", "x", "--output", "other"] + common)
      #expect(both.status == 2 && both.errors.contains("exclude each other"), "\(both)")
      let wrong = try bench.run([program, "block", "build", "--arch", "arm64", "--output", "other"] + common)
      #expect(wrong.status == 2 && wrong.errors.contains("known: aarch64"), "\(wrong)")
    }
  }

  /// Defaults of labels and device types lie in trees of their own, as balena has them, and people know device types by their aliases.
  @Test func severalTreesOfContracts() throws {
    try withBench(Bench()) { bench in
      func write(_ path: String, _ text: String) throws {
        let url = URL(filePath: "\(bench.directory)/\(path)")
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: url)
      }
      try write("one/contracts/sw.image/overlay/contract.json", #"{"slug": "overlay", "type": "sw.image", "data": {"store": "data"}}"#)
      try write(
        "one/contracts/sw.image/firmware/contract.json",
        #"{"slug": "firmware", "type": "sw.image.overlay", "composedOf": [{"type": "sw.package.yocto.ipk", "slug": "acme-firmware"}]}"#)
      for (slug, alias, arch) in [("intel-nuc", "nuc", "amd64"), ("acme-a", "twin", "aarch64"), ("acme-b", "twin", "rpi"), ("acme-c", "none", "vax")]
      {
        try write("two/hw.device-type/\(slug)/contract.json", #"{"slug": "\#(slug)", "aliases": ["\#(alias)"], "data": {"arch": "\#(arch)"}}"#)
      }
      try write("two/hw.device-type/broken/contract.json", "{")
      let program = try SampleFarm.program("blockfarm")
      let block = [program, "block", "build", "--feed", "feed"] + Bench.archs + ["--contract", "one/contracts/sw.image/firmware/contract.json"]
      func build(_ deviceType: String, _ trees: String...) throws -> Child.Ended {
        try bench.run(block + trees.flatMap { ["--contracts", $0] } + ["--device-type", deviceType, "--output", "out"])
      }
      let made = try build("nuc", "one", "two")
      #expect(made.status == 0, "\(made)")
      struct Inspection: Decodable {
        var platform: String
        var labels: [String: String]
      }
      let found = try JSONDecoder().decode(Inspection.self, from: Data(bench.block("inspect", "out", "--json").output.utf8))
      #expect(found.platform == "linux/amd64" && found.labels["io.balena.image.store"] == "data", "\(found)")
      // The image is the same as by the slug, and the order of the trees does not matter here.
      #expect(try build("intel-nuc", "two", "one").output == made.output)
      for (ended, complaint) in [
        (try build("nuc", "one"), "one has no contract hw.device-type/nuc, and no device type with that alias"),
        (try build("nuk", "one", "two"), "one, two has no contract hw.device-type/nuk, and no device type with that alias"),
        (try build("intel-nuk", "two", "one"), "nearest: intel-nuc"),
        (try build("twin", "one", "two"), "'twin' is an alias of several device types: acme-a, acme-b; name one of them"),
        (try build("nuc", "two"), "two has no contract sw.image/overlay, which holds the defaults of one/contracts/sw.image/firmware/contract.json"),
        (try build("acme-c", "one", "two"), "two/hw.device-type/acme-c/contract.json: data.arch 'vax' is none of aarch64"),
        (try build("broken", "one", "two"), "two/hw.device-type/broken/contract.json: "),
      ] { #expect(ended.status == 2 && ended.errors.contains(complaint), "\(complaint): \(ended)") }
    }
  }

  /// The very words. Compressor and packages are made by Debian's programs, whose versions change: words stand for the name and the digests.
  func golden(_ name: String, _ text: String) throws {
    let lines = text.replacing(/libdeflate-\S*/, with: "<compressor>").split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    let plain = lines.map { $0.contains("package ") ? $0.replacing(/[0-9a-f]{64}/, with: "<digest>") : $0 }.joined(separator: "\n")
    try Golden.check(name, plain)
  }

  @Test func inspects() throws {
    try withBench(Bench()) { bench in
      #expect(try bench.build("oci", ["--docker-archive", "block.docker", "--layers", "by-architecture"]).status == 0)
      _ = try bench.run(["cp", "oci/acme.lock.json", "block.lock.json"])
      let shown = try bench.block("inspect", "block.docker", "--files")
      #expect(shown.status == 0 && shown.errors.isEmpty, "\(shown)")
      try golden("block-inspect", shown.output)
      // A layout by its image's name, without a lock.
      _ = try bench.run(["rm", "oci/acme.lock.json"])
      let named = try bench.block("inspect", "oci:acme")
      #expect(named.output.contains("no lock lies beside"))
      #expect(named.output.contains("stored as sha256:"))
      let wrong = try bench.block("inspect", "oci:acne")
      #expect(wrong.status == 2 && wrong.errors.contains("no image 'acne' in oci:acne; it has: acme"), "\(wrong)")
      let nothing = try bench.block("inspect", "nowhere")
      #expect(nothing.status == 2 && nothing.errors.contains("nothing is there"), "\(nothing)")
      // A byte of a layer.
      _ = try bench.run(["sh", "-c", "printf x | dd of=block.docker bs=1 seek=700000 conv=notrunc"])
      let damaged = try bench.block("inspect", "block.docker")
      #expect(damaged.status == 2 && damaged.errors.contains("its uncompressed content is not the diff id sha256:"), "\(damaged)")
    }
  }

  @Test func compares() throws {
    try withBench(Bench()) { bench in
      #expect(try bench.build("one", ["--docker-archive", "one.docker"]).status == 0)
      let same = try bench.block("diff", "one", "one.docker")
      #expect(same.status == 0 && same.output.isEmpty && same.errors.isEmpty, "\(same)")
      try withBench(Bench(firmware: [("1.1", "other firmware\n")])) { other in
        let built = try other.build("two", ["--label", "c=d", "--layers", "by-architecture"])
        #expect(built.status == 0)
        let different = try bench.block("diff", "one", other.directory + "/two")
        #expect(different.status == 1 && different.errors.isEmpty, "\(different)")
        try golden("block-diff", different.output.split(separator: "\n").filter { !$0.hasPrefix("~ image manifest") }.joined(separator: "\n") + "\n")
        struct Comparison: Decodable {
          struct Difference: Decodable { var area: String }
          var differences: [Difference]
        }
        let json = try bench.block("diff", "one", other.directory + "/two", "--json")
        let areas = try JSONDecoder().decode(Comparison.self, from: Data(json.output.utf8)).differences.map(\.area)
        #expect(json.status == 1 && Set(areas) == ["image", "label", "package", "entry"])
      }
      #expect(try bench.block("diff", "one", "nowhere").status == 2)
    }
  }
}
