import BlobStore
import BuildModel
import Feed
import Foundation
import HTTP
import TestFiles
import TestPeers
import Testing

import struct Crypto.SHA256

@testable import RemoteFeed

@Suite struct RemoteFeedTests {
  static let architectures = ["all", "any", "armv8a"]

  /// A feed, a server over it and an empty cache.
  final class Setting: Sendable {
    let scratch: String
    let server: FileServer
    let cache: FeedCache
    var root: String { scratch + "/feed" }

    init(_ scratch: String, _ server: FileServer) throws {
      (self.scratch, self.server) = (scratch, server)
      for (name, version, architecture) in [("a", "1", "all"), ("a", "2", "armv8a"), ("b", "1", "all"), ("unused", "1", "armv8a")] {
        try Self.add(name, version, architecture, root: scratch + "/feed")
      }
      cache = try FeedCache(root: scratch + "/cache")
    }

    /// An entry of the index whose package is its own name and version; indexes are old enough for a later change to show in their time.
    static func add(_ name: String, _ version: String, _ architecture: String, root: String, sums: Bool = true) throws {
      let directory = root + "/" + architecture
      try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
      let file = "\(name)_\(version)_\(architecture).ipk"
      let content = Data(String(repeating: "\(name) \(version) ", count: 1000).utf8)
      try content.write(to: URL(fileURLWithPath: "\(directory)/\(file)"))
      let index = URL(fileURLWithPath: directory + "/Packages")
      let digest = try #require(Digest(bytes: SHA256.hash(data: content)))
      let text =
        "Package: \(name)\nVersion: \(version)\nArchitecture: \(architecture)\nFilename: \(file)\nSize: \(content.count)\nSHA256sum: \(digest.hex)\n\n"
      try (((try? Data(contentsOf: index)) ?? Data()) + Data(text.utf8)).write(to: index)
      try pack(directory, at: 1_600_000_000)
    }

    static func pack(_ directory: String, at time: Int) throws {
      try Tool.run(["sh", "-c", "gzip -kfn Packages && touch -d @\(time) Packages Packages.gz"], directory: directory)
    }

    func fetcher(_ url: String? = nil) throws -> FeedFetcher {
      var settings = HTTPSettings()
      settings.proxy = .none
      settings.retry.attempts = 2
      settings.time.sleep = { _ in }
      return FeedFetcher(url: try HTTPURL(url ?? server.url), cache: cache, client: try HTTPClient(settings: settings))
    }

    func fetch(_ names: String...) async throws -> FetchedFeed {
      try await fetcher().fetch(.best([try names.map { try PackageName($0) }]), architectures: RemoteFeedTests.architectures)
    }

    /// Everything below the cache that is not a finished blob or a record.
    func leftovers() throws -> [String] {
      try FileManager.default.subpathsOfDirectory(atPath: scratch + "/cache").filter {
        !["blobs", "blobs/sha256", "blobs/ingest", "records"].contains($0) && !$0.hasPrefix("blobs/sha256/") && !$0.hasPrefix("records/")
      }
    }
  }

  func with(_ body: @Sendable (Setting) async throws -> Void) async throws {
    try await withScratchDirectory { scratch in
      try FileManager.default.createDirectory(atPath: scratch + "/feed", withIntermediateDirectories: true)
      try await withFileServer(over: scratch + "/feed") { server in
        let setting = try Setting(scratch, server)
        try await body(setting)
        #expect(try setting.leftovers() == [])
      }
    }
  }

  func failure(_ body: @Sendable () async throws -> Void) async -> String {
    do { try await body() } catch { return "\(error)" }
    return "nothing was thrown"
  }

  @Test func fetchesOnlyWhatIsNeeded() async throws {
    try await with { setting in
      let fetched = try await setting.fetch("b", "a")
      #expect(
        try setting.server.requests() == [
          "/all/Packages.gz 200", "/all/b_1_all.ipk 200", "/any/Packages 404", "/any/Packages.gz 404", "/armv8a/Packages.gz 200",
          "/armv8a/a_2_armv8a.ipk 200",
        ])
      #expect(fetched.absent == ["any"])
      #expect(fetched.transferred == 2)
      let feed = try fetched.provided.materialize(in: setting.scratch + "/laid", from: setting.cache.store)
      #expect(feed.architectures == ["all", "armv8a"])
      #expect(feed.candidates.keys.sorted().map(\.text) == ["a", "b"])
      // The worker's way: nothing but the blobs.
      #expect(try feed.verify() == 2)
    }
  }

  @Test func secondFetchAsksOnlyWhetherIndexesChanged() async throws {
    try await with { setting in
      let first = try await setting.fetch("a")
      _ = try setting.server.requests()
      let second = try await setting.fetch("a")
      #expect(first.provided == second.provided)
      #expect(second.transferred == 0)
      #expect(
        try setting.server.requests() == ["/all/Packages.gz 304", "/any/Packages 404", "/any/Packages.gz 404", "/armv8a/Packages.gz 304"])
    }
  }

  @Test func changedIndexIsSeen() async throws {
    try await with { setting in
      _ = try await setting.fetch("a")
      try Setting.add("a", "3", "armv8a", root: setting.root)
      try Setting.pack(setting.root + "/armv8a", at: 1_700_000_000)
      _ = try setting.server.requests()
      let fetched = try await setting.fetch("a")
      #expect(try setting.server.requests().filter { $0.contains("armv8a") } == ["/armv8a/Packages.gz 200", "/armv8a/a_3_armv8a.ipk 200"])
      #expect(fetched.provided.files.last?.path.text == "armv8a/a_3_armv8a.ipk")
    }
  }

  /// A record whose blob was collected is no reason to be content with 304.
  @Test func lostBlobIsFetchedAgain() async throws {
    try await with { setting in
      _ = try await setting.fetch("b")
      for name in try FileManager.default.contentsOfDirectory(atPath: setting.cache.store.root + "/sha256") {
        try FileManager.default.removeItem(atPath: setting.cache.store.root + "/sha256/" + name)
      }
      #expect(try await setting.fetch("b").transferred == 1)
    }
  }

  /// Times that go back make the server say that nothing changed.
  @Test func serverThatIsWrongAboutChange() async throws {
    try await with { setting in
      _ = try await setting.fetch("a")
      try Setting.add("later", "1", "armv8a", root: setting.root)
      _ = try setting.server.requests()
      #expect(try await setting.fetch("later").transferred == 1)
      #expect(try setting.server.requests().filter { $0.hasPrefix("/armv8a/Packages.gz") } == ["/armv8a/Packages.gz 200", "/armv8a/Packages.gz 304"])
    }
  }

  @Test func indexThatIsOnlyPlain() async throws {
    try await with { setting in
      for name in ["all", "armv8a"] { try FileManager.default.removeItem(atPath: "\(setting.root)/\(name)/Packages.gz") }
      #expect(try await setting.fetch("b").provided.files.last?.path.text == "all/b_1_all.ipk")
    }
  }

  @Test func wrongDigestIsRefused() async throws {
    try await with { setting in
      let path = setting.root + "/all/b_1_all.ipk"
      var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
      bytes[100] ^= 1
      try bytes.write(to: URL(fileURLWithPath: path))
      let text = await failure { _ = try await setting.fetch("b") }
      for word in ["/all/b_1_all.ipk is sha256:", "its index promises sha256:", "try again"] { #expect(text.contains(word), "\(text)") }
      #expect(!setting.cache.store.has(try #require(Digest(bytes: SHA256.hash(data: bytes)))))
    }
  }

  @Test func largerFileIsRefused() async throws {
    try await with { setting in
      let path = setting.root + "/all/b_1_all.ipk"
      try (Data(contentsOf: URL(fileURLWithPath: path)) + Data([1])).write(to: URL(fileURLWithPath: path))
      let text = await failure { _ = try await setting.fetch("b") }
      #expect(text.contains("/all/b_1_all.ipk"), "\(text)")
    }
  }

  @Test func truncatedAnswersAreRefused() async throws {
    try await with { setting in
      try setting.server.fault(["/all/b_1_all.ipk": "truncate"])
      var text = await failure { _ = try await setting.fetch("b") }
      #expect(text.contains("/all/b_1_all.ipk"), "\(text)")
      // Two tries, both cut.
      #expect(try setting.server.requests().filter { $0.hasPrefix("/all/b") }.count == 2)
      try setting.server.fault(["/armv8a/Packages.gz": "truncate"])
      text = await failure { _ = try await setting.fetch("b") }
      #expect(text.contains("/armv8a/Packages.gz"), "\(text)")
    }
  }

  /// Another answer than "is not there" says nothing about whether the directory is there.
  @Test func brokenServerIsNoAbsentDirectory() async throws {
    try await with { setting in
      try setting.server.fault(["/any/Packages.gz": "503"])
      let text = await failure { _ = try await setting.fetch("b") }
      #expect(text.contains("/any/Packages.gz was answered 503"), "\(text)")
      try setting.server.fault(["/any/Packages.gz": "403"])
      do {
        let text = await failure { _ = try await setting.fetch("b") }
        #expect(text.contains("/any/Packages.gz was answered 403"), "\(text)")
      }
    }
  }

  @Test func listedButNotThere() async throws {
    try await with { setting in
      try FileManager.default.removeItem(atPath: setting.root + "/all/b_1_all.ipk")
      do {
        let text = await failure { _ = try await setting.fetch("b") }
        #expect(text.contains("/all/b_1_all.ipk was answered 404"), "\(text)")
      }
    }
  }

  @Test func brokenAndForeignIndexes() async throws {
    try await with { setting in
      try Data([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1, 2, 3]).write(to: URL(fileURLWithPath: setting.root + "/all/Packages.gz"))
      var text = await failure { _ = try await setting.fetch("b") }
      #expect(text.contains("/all/Packages.gz"), "\(text)")
      try FileManager.default.removeItem(atPath: setting.root + "/all/Packages.gz")
      try FileManager.default.copyItem(atPath: setting.root + "/armv8a/Packages.gz", toPath: setting.root + "/all/Packages.gz")
      text = await failure { _ = try await setting.fetch("b") }
      #expect(text.contains("the index of another feed"), "\(text)")
    }
  }

  @Test func missingPackageAndMissingFeed() async throws {
    try await with { setting in
      do {
        let text = await failure { _ = try await setting.fetch("unusd") }
        #expect(text.contains("nearest: unused"), "\(text)")
      }
      let elsewhere = try setting.fetcher(setting.server.url + "/all")
      let text = await failure { _ = try await elsewhere.fetch(.best([]), architectures: ["all", "any"]) }
      #expect(text.contains("none of the directories all any"), "\(text)")
      do {
        let text = await failure { _ = try await setting.fetcher().fetch(.best([]), architectures: ["../all"]) }
        #expect(text.contains("'../all'"), "\(text)")
      }
    }
  }

  @Test func noNetwork() async throws {
    try await with { setting in
      setting.server.stop()
      do {
        let text = await failure { _ = try await setting.fetch("b") }
        #expect(text.contains(setting.server.url), "\(text)")
      }
    }
  }

  @Test func checkReportsEverything() async throws {
    try await with { setting in
      #expect(try await setting.fetcher().check(architectures: Self.architectures, depth: .files).report.errorCount == 0)
      try FileManager.default.removeItem(atPath: setting.root + "/all/b_1_all.ipk")
      try Data("x".utf8).write(to: URL(fileURLWithPath: setting.root + "/armv8a/unused_1_armv8a.ipk"))
      try FileManager.default.removeItem(atPath: setting.root + "/armv8a/Packages")
      let other = try FeedCache(root: setting.scratch + "/other")
      let fetcher = FeedFetcher(url: try HTTPURL(setting.server.url), cache: other, client: try setting.fetcher().client)
      let (report, absent) = try await fetcher.check(architectures: Self.architectures, depth: .files)
      #expect(absent == ["any"])
      #expect(report.packages == 4)
      #expect(report.counts == ["transfer": 1, "digest": 1], "\(report.findings)")
      #expect(Set(report.findings.map(\.file)) == ["all/b_1_all.ipk", "armv8a/unused_1_armv8a.ipk"])
    }
  }

  @Test func locations() throws {
    #expect(try FeedLocation("/a/b") == .directory("/a/b"))
    #expect(try FeedLocation("a:b") == .directory("a:b"))
    #expect(try FeedLocation("file:///a/b%20c") == .directory("/a/b c"))
    #expect(try FeedLocation("file://localhost/a") == .directory("/a"))
    #expect(try FeedLocation("https://feeds.example/x/") == .remote(HTTPURL("https://feeds.example/x/")))
    for text in ["", "file://host/a", "file:relative://x", "file:///a%00", "ftp://a/b", "file:///a%ff"] {
      #expect(throws: RemoteFeedError.self, "\(text)") { try FeedLocation(text) }
    }
  }

  /// A query (a token, say) goes with every request and into no message.
  @Test func queryIsKept() async throws {
    try await with { setting in
      let fetcher = try setting.fetcher(setting.server.url + "/?token=secret")
      #expect(try fetcher.address(["all", "a+b c.ipk"]).text == setting.server.url + "/all/a%2Bb%20c.ipk?token=secret")
      let text = await failure { _ = try await fetcher.fetch(.best([]), architectures: ["any"]) }
      #expect(!text.contains("secret"), "\(text)")
      let records = try FileManager.default.contentsOfDirectory(atPath: setting.scratch + "/cache/records")
      #expect(records.isEmpty)
    }
  }
}
