import BlobStore
import BuildModel
import Foundation
import HTTP
import TestFiles
import Testing

@testable import Publishing

/// The deploy tree on S3: moto for behaviour, botocore for signatures.
@Suite(.serialized, .enabled(if: PythonPeer.isAvailable, "deploy/check-storage gives it a Python with moto")) struct StorageTests {
  struct Bench {
    let store: ObjectStore
    let blobs: BlobStore
    let port: Int

    var publisher: StoragePublisher { StoragePublisher(store: store, blobs: blobs) }

    func publication(
      _ version: String = "2.60.1+rev4", _ files: [String: String]? = nil, isPrivate: Bool? = false, isFinal: Bool = true
    ) throws -> StoragePublication {
      let files = files ?? ["VERSION": "1", "image/balena+x y.img.zip": "image", "kernel_modules_headers.tar.gz": "k"]
      return StoragePublication(
        slug: try Slug("generic-amd64"), version: OSVersion(version)!,
        files: try files.sorted { $0.key < $1.key }.map { .init(path: RelativePath($0.key)!, blob: try blobs.put(Array($0.value.utf8))) },
        isPrivate: isPrivate, isFinal: isFinal)
    }

    func key(_ text: String) -> RelativePath { RelativePath(text)! }
    func text(_ key: String) async throws -> String? { try await store.get(self.key(key)).map { String(decoding: $0, as: UTF8.self) } }

    /// Publishes a version and gives what became of `latest`.
    func latest(after version: String, isFinal: Bool = true) async throws -> StorageReport.Latest {
      try await publisher.publish(try publication(version, isFinal: isFinal)).latest
    }

    /// Whether somebody without credentials may read it.
    func isPublic(_ key: String, _ http: HTTPClient) async throws -> Bool {
      let path = key.split(separator: "/").map { HTTPURL.encode(String($0)) }.joined(separator: "/")
      let response = try await http.send(HTTPRequest(.get, try HTTPURL("http://127.0.0.1:\(port)/images/\(path)?acl=")), accepting: [403])
      return String(decoding: response.body, as: UTF8.self).contains("AllUsers")
    }
  }

  /// Nothing here takes long, so that what hangs is seen.
  static let http: HTTPClient? = {
    var settings = HTTPSettings()
    settings.timeouts.stall = .seconds(5)
    settings.retry.attempts = 2
    return try? HTTPClient(settings: settings)
  }()

  func with(_ body: (Bench) async throws -> Void) async throws {
    try await withScratchDirectory { directory in
      try await PythonPeer.with("object_service.py") { peer in
        try await body(try Self.bench(peer, directory))
      }
    }
  }

  static func bench(
    _ peer: PythonPeer, _ directory: String, bucket: String = "images", secret: String = "test", http: HTTPClient? = http
  ) throws -> Bench {
    let store = try ObjectStore(
      http: try #require(http), endpoint: HTTPURL("http://127.0.0.1:\(peer.port)"), bucket: bucket, region: "us-east-1", accessKey: "test",
      secretKey: Secret(secret))
    return Bench(store: store, blobs: try BlobStore(root: directory), port: peer.port)
  }

  static let directory = "images/generic-amd64/2.60.1+rev4"

  @Test func laysOutAVersionAndSaysWhenItIsWhole() async throws {
    try await with { bench in
      let report = try await bench.publisher.publish(try bench.publication())
      #expect(report.directory == Self.directory && report.uploaded == 3 && report.latest == .moved(from: nil))
      #expect(
        try await bench.store.keys(below: "") == [
          "\(Self.directory)/SHA256SUMS", "\(Self.directory)/VERSION", "\(Self.directory)/image/balena+x y.img.zip",
          "\(Self.directory)/kernel_modules_headers.tar.gz", "images/generic-amd64/latest",
        ])
      #expect(try await bench.text("images/generic-amd64/latest") == "2.60.1+rev4")
      #expect(try await bench.text("\(Self.directory)/image/balena+x y.img.zip") == "image")
      let sums = try #require(try await bench.text("\(Self.directory)/SHA256SUMS"))
      #expect(sums.contains("  image/balena+x y.img.zip\n"))
      let again = try await bench.publisher.publish(try bench.publication())
      #expect(again.uploaded == 0 && again.latest == .kept)
    }
  }

  @Test func movesLatestForwardOnly() async throws {
    try await with { bench async throws in
      #expect(try await bench.latest(after: "2.60.1+rev9") == .moved(from: nil))
      #expect(try await bench.latest(after: "2.60.1+rev10") == .moved(from: "2.60.1+rev9"))
      #expect(try await bench.latest(after: "2.60.1") == .kept)
      #expect(try await bench.latest(after: "2.60.2", isFinal: false) == .kept)
      #expect(try await bench.latest(after: "2023.10.1") == .kept)
      #expect(try await bench.text("images/generic-amd64/latest") == "2.60.1+rev10")
      #expect(try await bench.text("esr-images/generic-amd64/2023.10.1/VERSION") == "1")
      #expect(try await bench.text("esr-images/generic-amd64/latest") == nil)
    }
  }

  @Test(arguments: [(Bool?.some(false), true), (true, false), (nil, false)])
  func keepsPrivateAndUnknownTypesPrivate(isPrivate: Bool?, expected: Bool) async throws {
    try await with { bench in
      _ = try await bench.publisher.publish(try bench.publication(isPrivate: isPrivate))
      let http = try #require(Self.http)
      for key in ["\(Self.directory)/VERSION", "\(Self.directory)/SHA256SUMS", "images/generic-amd64/latest"] {
        #expect(try await bench.isPublic(key, http) == expected, "\(key)")
      }
    }
  }

  @Test func goesOnAfterAnInterruptionAndRemovesWhatIsLeft() async throws {
    try await with { bench in
      let publication = try bench.publication()
      let identity = try ObjectStore.digest(of: publication.manifest)
      // As a killed run leaves it: the marker, one file of this upload, one of another.
      try await bench.store.put(Marker(owner: identity, time: .now).bytes, at: bench.key("\(Self.directory)/IGNORE"), access: .publicRead)
      let file = publication.files[0]
      try await bench.store.put(
        file: bench.blobs.path(file.blob.digest), file.blob, at: bench.key("\(Self.directory)/\(file.path)"), access: .publicRead)
      try await bench.store.put([1], at: bench.key("\(Self.directory)/old & <file>"), access: .publicRead)
      let report = try await bench.publisher.publish(publication)
      #expect((report.uploaded, report.present, report.removed) == (2, 1, 1))
      #expect(try await bench.store.get(bench.key("\(Self.directory)/IGNORE")) == nil)
    }
  }

  @Test func finishesWhatEndedAfterTheManifest() async throws {
    try await with { bench in
      let publication = try bench.publication()
      _ = try await bench.publisher.publish(publication)
      try await bench.store.put([1], at: bench.key("\(Self.directory)/IGNORE"), access: .publicRead)
      try await bench.store.delete(bench.key("images/generic-amd64/latest"))
      #expect(try await bench.publisher.publish(publication).latest == .moved(from: nil))
      #expect(try await bench.store.get(bench.key("\(Self.directory)/IGNORE")) == nil)
    }
  }

  @Test func refusesToMixTwoContents() async throws {
    try await with { bench in
      _ = try await bench.publisher.publish(try bench.publication())
      let other = try bench.publication("2.60.1+rev4", ["VERSION": "2"])
      #expect(await complaint { try await bench.publisher.publish(other) }.contains("its SHA256SUMS names other files"))
      // Somebody uploads right now.
      let busy = "images/generic-amd64/2.60.2"
      try await bench.store.put(Marker(owner: Sample.digest("a"), time: .now).bytes, at: bench.key(busy + "/IGNORE"), access: .publicRead)
      #expect(await complaint { try await bench.publisher.publish(try bench.publication("2.60.2")) }.contains("another upload began at"))
      // It died long ago; an empty marker is of an older program that did not finish.
      let dead = Marker(owner: Sample.digest("a"), time: Timestamp.now.adding(seconds: -7 * 3600))
      try await bench.store.put(dead.bytes, at: bench.key(busy + "/IGNORE"), access: .publicRead)
      #expect(try await bench.publisher.publish(try bench.publication("2.60.2")).uploaded == 3)
      try await bench.store.put([], at: bench.key("images/generic-amd64/2.60.3/IGNORE"), access: .publicRead)
      #expect(try await bench.publisher.publish(try bench.publication("2.60.3")).uploaded == 3)
      // Whole, by an older program: nothing says what it holds.
      try await bench.store.put([1], at: bench.key("images/generic-amd64/2.60.4/VERSION"), access: .publicRead)
      #expect(await complaint { try await bench.publisher.publish(try bench.publication("2.60.4")) }.contains("an older program published it"))
    }
  }

  /// Another coordinator fetched the blocks instead of building them: it has less, and nothing else.
  @Test func findsAPartOfWhatIsThere() async throws {
    try await with { bench in
      _ = try await bench.publisher.publish(try bench.publication())
      let part = try await bench.publisher.publish(try bench.publication("2.60.1+rev4", ["VERSION": "1", "image/balena+x y.img.zip": "image"]))
      #expect(part.uploaded == 0 && part.present == 2)
      let more = try bench.publication("2.60.1+rev4", ["VERSION": "1", "new": "file"])
      #expect(await complaint { try await bench.publisher.publish(more) }.contains("its SHA256SUMS names other files"))
    }
  }

  /// An object that one request may not carry.
  @Test func sendsLargeFilesInParts() async throws {
    try await with { bench in
      var store = bench.store
      // S3 takes no smaller part than 5 MiB, but for the last one.
      (store.largestSingle, store.part) = (6 << 20, 5 << 20)
      let content = (0..<13_000_001).map { UInt8(truncatingIfNeeded: $0 &* 7919 >> 5) }
      let blob = try bench.blobs.put(content)
      let key = bench.key("images/x/large+file")
      try await store.put(file: bench.blobs.path(blob.digest), blob, at: key, access: .publicRead)
      #expect(try await store.get(key, limit: 20 << 20) == content)
      #expect(try await store.head(key) == .init(size: blob.size, digest: blob.digest))
      #expect(try await bench.isPublic("images/x/large+file", try #require(Self.http)))
      // A file that is not what its digest says leaves no object and no parts.
      let wrong = BlobDescriptor(digest: Sample.digest("a"), size: blob.size)
      let other = bench.key("images/x/other")
      #expect(await complaint { try await store.put(file: bench.blobs.path(blob.digest), wrong, at: other, access: .publicRead) }.contains("other"))
      #expect(try await store.head(other) == nil)
      #expect(try await store.unfinished() == 0)
    }
  }

  /// Moto pages at 1,000 keys.
  @Test func readsLongListings() async throws {
    try await with { bench in
      var keys: [String] = []
      for number in 0..<1005 {
        let key = "images/x/1+\(1000 + number)&"
        keys.append(key)
        try await bench.store.put([], at: bench.key(key), access: .privateToOwner)
      }
      #expect(try await bench.store.keys(below: "images/x/1+") == keys.sorted())
    }
  }

  /// Pages may have no keys, but must lead somewhere.
  @Test func followsListsOnlyWhereTheyLead() async throws {
    try await withScratchDirectory { directory in
      try await PythonPeer.with("strange_lists.py") { peer in
        let store = try Self.bench(peer, directory).store
        #expect(try await store.keys(below: "thin") == ["thin/last"])
        #expect(await complaint { try await store.keys(below: "circle") }.contains("it goes on where it was before"))
        #expect(await complaint { try await store.keys(below: "endless") }.contains("it has no end"))
      }
    }
  }

  /// Consoles and mounting programs make them, and make them again.
  @Test func leavesFoldersAlone() async throws {
    try await with { bench in
      let http = try #require(Self.http)
      let folders = ["", "image/", "old/"].map { "\(Self.directory)/\($0)" }
      for key in folders {
        let url = try HTTPURL("http://127.0.0.1:\(bench.port)/images/\(key)")
        _ = try await http.send(HTTPRequest(.put, url, fields: ["x-amz-acl": "public-read"]))
      }
      let report = try await bench.publisher.publish(try bench.publication())
      #expect(report.uploaded == 3 && report.removed == 0)
      for key in folders {
        #expect(try await http.send(HTTPRequest(.head, try HTTPURL("http://127.0.0.1:\(bench.port)/images/\(key)")), accepting: [404]).status == 200)
      }
    }
  }

  static let keys = ["a", "a+b", "a b/c d", "2.60.1+rev4/x", "ü/é", "a=b&c", "~user/(1)!*'", "per%cent", "a,b;c:d@e", "image/balena.img.zip"]

  @Test func signsAsBotocoreDoes() async throws {
    try await withScratchDirectory { directory in
      let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
      try await PythonPeer.with("check_signatures.py", ["test", secret, "us-east-1"]) { peer in
        let bench = try Self.bench(peer, directory, secret: secret)
        for text in Self.keys {
          let key = bench.key(text)
          try await bench.store.put(Array("content of \(text)".utf8), at: key, access: .publicRead)
          let blob = try bench.blobs.put(Array(repeating: 7, count: 3_000_000))
          try await bench.store.put(file: bench.blobs.path(blob.digest), blob, at: key, access: .privateToOwner)
          try await bench.store.put([1], at: key, access: .publicRead, replacing: nil)
          try await bench.store.put([1], at: key, access: .publicRead, replacing: "\"abc\"")
          _ = try await bench.store.get(key)
          _ = try await bench.store.head(key)
          try await bench.store.delete(key)
          var inParts = bench.store
          (inParts.largestSingle, inParts.part) = (1 << 20, 1 << 20)
          // This peer keeps no objects, so that the last look finds none; a wrong signature before it would be a 403.
          let end = await complaint { try await inParts.put(file: bench.blobs.path(blob.digest), blob, at: key, access: .publicRead) }
          #expect(end.hasPrefix("the end of the upload of"), "\(end)")
          _ = try await bench.store.keys(below: text)
        }
        // A check that cannot fail is none.
        let wrong = try Self.bench(peer, directory, secret: "other")
        let text = await complaint { try await wrong.store.get(wrong.key("a")) }
        #expect(text.contains("403") && !text.contains("other\""))
      }
    }
  }

  @Test func refusesBucketsThatAreNone() throws {
    let http = try #require(Self.http)
    for name in ["a", "A-bucket", "a/b", String(repeating: "a", count: 64)] {
      #expect(
        complaint {
          try ObjectStore(http: http, endpoint: HTTPURL("http://127.0.0.1:1"), bucket: name, region: "r", accessKey: "a", secretKey: Secret("b"))
        }.contains("a name has 3 to 63"))
    }
  }
}

/// Lists as S3 writes them.
struct ObjectListingTests {
  func list(_ text: String) throws -> ObjectListing { try ObjectListing(Array(text.utf8), from: HTTPURL("http://127.0.0.1/")) }

  @Test func readsKeysAndEntities() throws {
    let page = try list(
      "<?xml version=\"1.0\"?><ListBucketResult><IsTruncated>true</IsTruncated><Contents><Key>a&amp;b&#43;&lt;&#x41;</Key><Size>1</Size></Contents>"
        + "<Contents><Key>c</Key></Contents><NextContinuationToken>t&quot;</NextContinuationToken></ListBucketResult>")
    #expect(page.keys == ["a&b+<A", "c"])
    #expect(page.next == "t\"")
  }

  @Test func refusesWhatIsCutOrSomethingElse() {
    #expect(complaint { try list("<html>") }.contains("it is no ListBucketResult"))
    #expect(complaint { try list("<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>") }.contains("where it goes on"))
    let empty = "<IsTruncated>true</IsTruncated><NextContinuationToken></NextContinuationToken>"
    #expect(complaint { try list("<ListBucketResult>\(empty)</ListBucketResult>") }.contains("where it goes on"))
    #expect(complaint { try list("<ListBucketResult><Contents></Contents></ListBucketResult>") }.contains("without a key"))
    #expect(complaint { try list("<ListBucketResult><Contents><Key>&bad;</Key></Contents></ListBucketResult>") }.contains("without a key"))
  }
}

extension ObjectStore {
  /// How many uploads of the bucket were begun and neither finished nor given up; at most 1,000 are counted.
  func unfinished() async throws -> Int {
    let request = HTTPRequest(.get, try endpoint.resolving("/\(bucket)").adding("uploads", ""))
    let response = try await http.send(signed(request, try Self.digest(of: [])))
    var text = String(decoding: response.body, as: UTF8.self)[...]
    var count = 0
    while XMLReading.element("UploadId", in: &text) != nil { count += 1 }
    return count
  }
}
