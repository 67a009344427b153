import BlobStore
import BuildModel
import Foundation
import TestFiles
import Testing

@testable import Feed

@Suite struct ProvidedFeedTests {
  func feed(_ scratch: String) throws -> (PackageFeed, BlobStore) {
    let feed = try TestFeed(scratch + "/feed")
    try feed.add("a", "1.0", "all")
    try feed.add("a", "2.0", "all")
    try feed.add("a", "1.5", "armv8a")
    try feed.add("b", "1.0", "armv8a")
    try feed.add("unused", "1.0", "all", isThere: false)
    try feed.writeIndexes()
    return (try PackageFeed(root: scratch + "/feed", architectures: ["all", "any", "armv8a"]), try BlobStore(root: scratch + "/blobs"))
  }

  func names(_ names: String...) throws -> FeedWish { .best([try names.map { try PackageName($0) }]) }

  @Test func travelsWhole() throws {
    try withScratchDirectory { scratch in
      let (feed, store) = try feed(scratch)
      let provided = try feed.provide(try feed.candidates(for: try names("b", "a", "b")), into: store)
      #expect(
        provided.files.map(\.path.text) == [
          "armv8a/Packages", "armv8a/Packages.gz", "armv8a/b_1.0_armv8a.ipk", "armv8a/a_1.5_armv8a.ipk",
        ])
      let encoded = try JSONEncoder().encode(provided)
      let laid = try JSONDecoder().decode(ProvidedFeed.self, from: encoded).materialize(in: scratch + "/there", from: store)
      #expect(laid.architectures == ["armv8a"])
      #expect(laid.candidates.keys.sorted() == [try PackageName("a"), try PackageName("b")])
      #expect(
        laid.candidates.values.map { $0.map(\.stanza) }.sorted { $0[0].name < $1[0].name } == [
          [try #require(feed.candidates[PackageName("a")]?.first?.stanza)], [try #require(feed.candidates[PackageName("b")]?.first?.stanza)],
        ])
    }
  }

  @Test func lockedPackagesAreExact() throws {
    try withScratchDirectory { scratch in
      let (feed, store) = try feed(scratch)
      let old = try #require(feed.candidates[PackageName("a")]?.last)
      let lock = BlockLock.Package(name: try PackageName("a"), version: "1.0", architecture: "all", digest: try #require(old.stanza.sha256))
      let provided = try feed.provide(try feed.candidates(for: .locked([lock])), into: store)
      #expect(provided.files.map(\.path.text).last == "all/a_1.0_all.ipk")
      var other = lock
      other.digest = try #require(Digest(hex: String(repeating: "0", count: 64)))
      let error = #expect(throws: FeedError.self) { try feed.candidates(for: .locked([other])) }
      #expect(error?.description.contains("nearest: a 1.5 (armv8a), a 2.0 (all), a 1.0 (all)") == true, "\(error?.description ?? "")")
    }
  }

  @Test func missingNamesTheNearest() throws {
    try withScratchDirectory { scratch in
      let (feed, store) = try feed(scratch)
      let error = #expect(throws: FeedError.self) { try feed.candidates(for: try names("unusd")) }
      #expect(error?.description.contains("'unusd' is not there; nearest: unused") == true)
      let gone = #expect(throws: FeedError.self) { try feed.provide(try feed.candidates(for: try names("unused")), into: store) }
      #expect(gone?.description.contains("listed but not there") == true)
    }
  }

  /// What a hostile coordinator could send.
  @Test(arguments: [
    ("outside/x.ipk", "no architecture directory"), ("Packages", "no architecture directory"), ("all/Packages", "given twice"),
    ("all/Packages/x", "not a directory"), ("all/stray.ipk", "not listed"),
  ]) func refuses(_ path: String, _ word: String) throws {
    try withScratchDirectory { scratch in
      let (feed, store) = try feed(scratch)
      var provided = try feed.provide(
        try feed.candidates(for: .locked([])) + [try #require(feed.candidates[PackageName("a")]?.last)], into: store)
      provided.files.append(.init(path: try #require(RelativePath(path)), blob: provided.files[0].blob))
      let error = #expect(throws: FeedError.self) { try provided.materialize(in: scratch + "/there", from: store) }
      #expect(error?.description.lowercased().contains(word) == true, "\(error?.description ?? "")")
    }
  }

  @Test func missingBlobIsNamed() throws {
    try withScratchDirectory { scratch in
      let (feed, store) = try feed(scratch)
      let provided = try feed.provide(try feed.candidates(for: try names("a")), into: store)
      let last = try #require(provided.files.last)
      try FileManager.default.removeItem(atPath: store.path(last.blob.digest))
      let error = #expect(throws: FeedError.self) { try provided.materialize(in: scratch + "/there", from: store) }
      #expect(error?.description.contains(last.blob.digest.hex) == true)
    }
  }
}
