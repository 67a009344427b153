import BlobStore
import BuildModel
import FoundationEssentials
import Glibc
import TestFiles
import Testing

/// The store against its own promises.
struct BlobStoreTests {
  /// An empty store that goes with the test.
  func withStore<Value>(_ body: (BlobStore, String) throws -> Value) throws -> Value {
    try withScratchDirectory { root in
      return try body(BlobStore(root: root), root)
    }
  }

  let hello = Array("hello\n".utf8)
  let helloDigest = "sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"

  @Test func namesContentByItsDigest() throws {
    try withStore { store, _ in
      let blob = try store.put(hello)
      #expect(blob.digest.description == helloDigest)
      #expect(blob.size == 6)
      #expect(try store.read(blob.digest) == hello)
      #expect(store.missing([blob]).isEmpty)
    }
  }

  @Test func refusesOtherContentAndLeavesNothing() throws {
    try withStore { store, root in
      let wanted = BlobDescriptor(digest: try #require(Digest(helloDigest)), size: 6)
      let writer = try BlobWriter(store: store)
      try writer.write(Array("hullo\n".utf8))
      #expect(throws: BlobStoreError.self) { try writer.finish(expecting: wanted) }
      #expect(!store.has(wanted.digest))
      #expect(try FileManager.default.contentsOfDirectory(atPath: root + "/sha256").isEmpty)
    }
  }

  @Test func keepsHolesAndSize() throws {
    try withStore { store, root in
      let file = root + "/sparse"
      let descriptor = open(file, O_CREAT | O_WRONLY, 0o644)
      #expect(ftruncate(descriptor, 32 << 20) == 0)
      close(descriptor)
      let blob = try store.put(file: file)
      #expect(blob.size == 32 << 20)
      var status = stat()
      #expect(stat(store.path(blob.digest), &status) == 0)
      #expect(status.st_size == 32 << 20)
      #expect(status.st_blocks * 512 < 1 << 20)
      try store.verify(blob.digest)
    }
  }

  @Test func noticesADamagedBlob() throws {
    try withStore { store, _ in
      let blob = try store.put(hello)
      chmod(store.path(blob.digest), 0o644)
      try Data("HELLO\n".utf8).write(to: URL(filePath: store.path(blob.digest)))
      #expect(throws: BlobStoreError.self) { try store.verify(blob.digest) }
    }
  }

  @Test func linksOutAndReplaces() throws {
    try withStore { store, root in
      let blob = try store.put(hello)
      try store.link(blob.digest, to: root + "/out")
      try store.link(blob.digest, to: root + "/out")
      #expect(try Data(contentsOf: URL(filePath: root + "/out")) == Data(hello))
      #expect(!FileManager.default.fileExists(atPath: root + "/out.new"))
      let other = try store.put([1, 2, 3])
      try store.link(other.digest, to: root + "/out")
      #expect(try Data(contentsOf: URL(filePath: root + "/out")) == Data([1, 2, 3]))
      #expect(throws: BlobStoreError.self) { try store.link(other.digest, to: root + "/none/out") }
    }
  }

  @Test(arguments: [1, 2, 3, 7, 64, 4096])
  func readsFramesInPiecesOfAnySize(piece: Int) throws {
    try withStore { store, root in
      let source = try BlobStore(root: root + "/source")
      let blobs = [try source.put(hello), try source.put([UInt8]()), try source.put([UInt8](repeating: 7, count: 5000))]
      var stream: [UInt8] = []
      for blob in blobs { stream += try BlobFrame.header(blob) + source.read(blob.digest) }
      stream += BlobFrame.end
      let reader = BlobFrameReader(store: store, expected: blobs)
      var offset = 0
      while offset < stream.count {
        try reader.feed(Array(stream[offset..<min(offset + piece, stream.count)]))
        offset += piece
      }
      #expect(reader.isFinished)
      #expect(reader.received == blobs)
      #expect(store.missing(blobs).isEmpty)
    }
  }

  @Test func refusesFramesThatWereNotAskedFor() throws {
    try withStore { store, _ in
      let blob = try store.put(hello)
      let reader = BlobFrameReader(store: store, expected: [])
      #expect(throws: BlobStoreError.self) { try reader.feed(try BlobFrame.header(blob)) }
    }
  }

  @Test func refusesAnEndlessHeader() throws {
    try withStore { store, _ in
      let reader = BlobFrameReader(store: store, expected: [])
      #expect(throws: BlobStoreError.self) { try reader.feed([UInt8](repeating: 65, count: 300)) }
    }
  }

  @Test func collectsGarbageButNotWhatIsKept() throws {
    try withStore { store, _ in
      let (kept, dropped) = (try store.put(hello), try store.put([1, 2, 3]))
      let freed = try store.collectGarbage(keeping: [kept.digest], olderThan: -10)
      #expect(freed == 3)
      #expect(store.has(kept.digest))
      #expect(!store.has(dropped.digest))
    }
  }
}
