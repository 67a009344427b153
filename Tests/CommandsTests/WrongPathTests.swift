import Foundation
import TestFiles
import TestGolden
import TestPeers
import Testing

/// What is not what it should be is refused with status 2 and a hint; it is never taken for something empty.
@Suite(.serialized) struct WrongPathTests {
  private func withScratch(_ body: (String) throws -> Void) throws {
    let scratch = FileManager.default.temporaryDirectory.path + "/wrong-path-\(UUID().uuidString.prefix(8))"
    try FileManager.default.createDirectory(atPath: scratch, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: scratch) }
    try body(scratch)
  }

  private func make(_ files: [String: String], in scratch: String) throws {
    for (name, text) in files {
      let url = URL(filePath: "\(scratch)/\(name)")
      try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: url)
    }
  }

  private func blockfarm(_ arguments: [String], in scratch: String) throws -> Child.Ended {
    try Child(
      [try SampleFarm.program("blockfarm")] + arguments, environment: ["PATH": "/usr/bin:/bin", "HOME": scratch], directory: scratch, limit: 60
    ).wait()
  }

  private func golden(_ name: String, _ text: String, scratch: String) throws {
    let text = text.replacing(scratch, with: "<directory>")
    let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Golden/\(name).txt")
    if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" { try Data(text.utf8).write(to: file) }
    #expect(text == (try String(contentsOf: file, encoding: .utf8)), "Golden/\(name).txt")
  }

  // MARK: Feeds

  static let feeds: [(name: String, arguments: [String])] = [
    ("feed-one-too-deep", ["feed/all"]), ("feed-one-too-high", ["."]), ("feed-of-documents", ["doc"]), ("feed-empty", ["nothing"]),
    ("feed-file", ["feed/all/broken_1_all.ipk"]), ("feed-absent", ["feeed"]), ("feed-misspelt-archs", ["feed", "--archs", "al cortexa7"]),
    ("feed-other-tune", ["feed", "--tune", "i586-nlp-32"]), ("feed-file-url", ["file:///nowhere/feed"]),
  ]

  @Test(arguments: feeds) func feed(_ one: (name: String, arguments: [String])) throws {
    try withScratch { scratch in
      // A package as anybody's, which `feed check` calls broken: the feed is one all the same.
      try make(["feed/all64/broken_1_all.ipk": "x", "feed/all/broken_1_all.ipk": "x", "doc/a/copyright": "x"], in: scratch)
      try FileManager.default.createDirectory(atPath: scratch + "/nothing", withIntermediateDirectories: true)
      let isIndexable = one.arguments.count == 1 && !one.arguments[0].hasPrefix("file:")
      if one.name == "feed-other-tune" {
        // No list of a tune is without 'all'.
        try FileManager.default.removeItem(atPath: scratch + "/feed/all")
      }
      for command in ["check", "list"] + (isIndexable ? ["index"] : []) {
        let ended = try blockfarm(["feed", command] + one.arguments, in: scratch)
        #expect(ended.status == 2 && ended.output.isEmpty, "\(ended)")
        try golden(one.name, ended.errors, scratch: scratch)
      }
      #expect(!FileManager.default.fileExists(atPath: scratch + "/feed/all64/Packages"))
      guard !one.arguments.contains("--tune"), !one.arguments[0].hasPrefix("file:") else { return }
      let archs = one.arguments.count > 1 ? Array(one.arguments.dropFirst()) : ["--archs", "all"]
      let block = ["block", "build", "--name", "b", "--package", "broken", "--arch", "amd64", "--output", "out"]
      let built = try blockfarm(block + ["--feed", one.arguments[0]] + archs, in: scratch)
      #expect(built.status == 2 && built.output.isEmpty, "\(built)")
      try golden(one.name, built.errors, scratch: scratch)
      #expect(!FileManager.default.fileExists(atPath: scratch + "/out"))
    }
  }

  /// A feed without packages is one, and so is one that lacks some of the directories that were named.
  @Test func whatIsNoMistake() throws {
    try withScratch { scratch in
      try make(["feed/all/Packages": "", "feed/board/Packages": ""], in: scratch)
      let indexed = try blockfarm(["feed", "index", "feed"], in: scratch)
      #expect(indexed.status == 0 && indexed.output == "all: 0 packages\nboard: 0 packages\n", "\(indexed)")
      let empty = try blockfarm(["feed", "check", "feed", "--archs", "all any boart"], in: scratch)
      #expect(empty.status == 0, "\(empty)")
      #expect(empty.errors == "not in the feed: any, boart\n")
      #expect(empty.output == "notice directory board: is not in PACKAGE_ARCHS and not used\ndirectory: 1\n0 packages in all, 0 errors\n")
      let listed = try JSON(blockfarm(["feed", "list", "feed", "--archs", "all any", "--json"], in: scratch).output)
      #expect(listed["absent"].items.map(\.text) == ["any"] && listed["ignored"].items.map(\.text) == ["board"])
      // A tune's list is longer than any feed.
      #expect(try blockfarm(["feed", "check", "feed", "--tune", "cortexa72"], in: scratch).errors.isEmpty)
    }
  }

  @Test func ofARequest() throws {
    let farm = try SampleFarm()
    try farm.write("x", to: "deploy/ipk/all/a_1_all.ipk")
    for (name, arguments) in [
      ("request-feed-too-high", ["--feed", "deploy", "--archs", "all"]), ("request-feed-archs", ["--feed", "deploy/ipk", "--archs", "al"]),
    ] {
      let ended = try farm.start(["build", "--local", "-m", "acme-board64", "--blocks", "acme-gpu", "--only", "blocks"] + arguments).wait()
      #expect(ended.status == 2, "\(ended)")
      try Golden.check(name, ended.errors, farm: farm)
    }
  }

  // MARK: Contracts

  @Test func contractsOfABlock() throws {
    try withScratch { scratch in
      try make(
        [
          "trees/hw.device-type/board/contract.json": #"{"slug": "board", "aliases": ["b"], "data": {"arch": "amd64"}}"#, "doc/a/copyright": "x",
          "feed/all/Packages": "",
        ], in: scratch)
      let block = [
        "block", "build", "--feed", "feed", "--archs", "all", "--name", "b", "--package", "p", "--output", "out", "--device-type", "board",
      ]
      for (name, contracts) in [
        ("contracts-absent", ["tree"]), ("contracts-of-documents", ["doc"]), ("contracts-one-too-deep", ["trees/hw.device-type"]),
        ("contracts-file", ["trees", "trees/hw.device-type/board/contract.json"]),
      ] {
        let ended = try blockfarm(block + contracts.flatMap { ["--contracts", $0] }, in: scratch)
        #expect(ended.status == 2, "\(ended)")
        try golden(name, ended.errors, scratch: scratch)
      }
    }
  }

  @Test func contractsOfARepository() throws {
    let farm = try SampleFarm()
    func refused(_ name: String, _ contracts: String) throws {
      try farm.write(
        "state: state\noutput: out\nrepositories:\n  - source: checkouts/balena-acme-arm\n    contracts: [\(contracts)]\n", to: "farm.yaml")
      let ended = try farm.run("plan", "-m", "acme-board64")
      #expect(ended.status == 2 && ended.output.isEmpty, "\(ended)")
      try Golden.check(name, ended.errors, farm: farm)
    }
    try refused("repository-contracts-absent", "contracts, contrats")
    try refused("repository-contracts-absolute", "contracts, /absolute/path")
    try refused("repository-contracts-outside", "../contracts")
    try refused("repository-contracts-none", "layers")
    try farm.write("state: state\nrepositories:\n  - {source: checkouts/balena-acme-arm, contracts: [contracts]}\n", to: "farm.yaml")
    #expect(try farm.run("plan", "-m", "acme-board64", "--blocks", "acme-gpu").status == 0)
  }

  // MARK: The farm's own files

  @Test func hostFiles() throws {
    let farm = try SampleFarm()
    for (name, file) in [("workers-yml", "arm-1.yml"), ("workers-upper-case", "arm-1.YAML")] {
      try farm.write("name: arm-1\n", to: "workers.d/" + file)
      let ended = try farm.run("worker", "list")
      #expect(ended.status == 2, "\(ended)")
      try Golden.check(name, ended.errors, farm: farm)
      try FileManager.default.removeItem(atPath: farm.directory + "/workers.d/" + file)
    }
    // What an editor leaves, and what is written for people, is nobody's host.
    for file in ["arm-1.yaml~", ".arm-1.yml.swp", "README"] { try farm.write("x", to: "workers.d/" + file) }
    #expect(try farm.run("worker", "list").status == 0)
    try FileManager.default.removeItem(atPath: farm.directory + "/workers.d")
    try farm.write("x", to: "workers.d")
    let file = try farm.run("worker", "list")
    #expect(file.status == 2)
    try Golden.check("workers-file", file.errors, farm: farm)
  }

  @Test(.enabled(if: !FileManager.default.fileExists(atPath: "/etc/blockfarm/farm.yaml"), "this machine has a farm of its own"))
  func configurationUnderAnotherName() throws {
    let farm = try SampleFarm()
    try FileManager.default.moveItem(atPath: farm.directory + "/farm.yaml", toPath: farm.directory + "/farm.yml")
    let ended = try farm.run("plan", "--all")
    #expect(ended.status == 2)
    try Golden.check("configuration-yml", ended.errors, farm: farm)
    #expect(try farm.run("plan", "--all", "--config", "farm.yml").status == 0)
  }
}
