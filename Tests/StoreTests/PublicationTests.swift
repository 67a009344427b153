import BuildModel
import Store
import Testing

/// The publish journal on a real SQLite file.
struct PublicationTests {
  @Test func keepsEachStageOnceAndTheNewestPlaceOfABlob() async throws {
    try await StateStoreTests().withDirectory { directory in
      let store = try StateStore(directory: directory)
      func record(_ stage: String, _ row: Int64, _ time: Int64) -> PublicationRecord {
        PublicationRecord(
          api: "https://api.example:443", application: "balena_os/board", version: "2.60.1+rev1", commit: "c", stage: stage, row: row,
          time: Timestamp(milliseconds: time))
      }
      try await store.note(record("draft", 7, 1000))
      try await store.note(record("final", 7, 3000))
      try await store.note(record("draft", 8, 2000))
      let found = try await StateStore(directory: directory).publications(api: "https://api.example:443", version: "2.60.1+rev1")
      #expect(found == [record("draft", 8, 2000), record("final", 7, 3000)])
      #expect(try await store.publications(api: "https://other", version: "2.60.1+rev1").isEmpty)
      let blobs = ["a", "b"].compactMap { Digest(hex: String(repeating: $0, count: 64)) }
      try await store.notePushed(blobs, registry: "r.example", repository: "v2/one")
      try await store.notePushed([blobs[0]], registry: "r.example", repository: "v2/two")
      #expect(try await store.repositories(of: "r.example", holding: blobs) == [blobs[0]: "v2/two", blobs[1]: "v2/one"])
      #expect(try await store.repositories(of: "other", holding: blobs).isEmpty)
    }
  }
}
