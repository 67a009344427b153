import BuildModel
import Publishing
import Store

/// Keeps a publication's journal in the coordinator's state.
package struct PublicationJournal: PublishJournal {
  let store: StateStore

  package init(store: StateStore) { self.store = store }

  package func note(_ entry: PublishEntry) async throws {
    try await store.note(
      PublicationRecord(
        api: entry.api, application: entry.application, version: entry.version, commit: entry.commit, stage: entry.stage.rawValue,
        row: entry.id, time: .now))
  }

  package func repositories(of registry: String, holding blobs: [Digest]) async throws -> [Digest: String] {
    try await store.repositories(of: registry, holding: blobs)
  }

  package func notePushed(_ blobs: [Digest], registry: String, repository: String) async throws {
    try await store.notePushed(blobs, registry: registry, repository: repository)
  }
}
