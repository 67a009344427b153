import BuildModel

/// What a publication decided and made, with ids: for people, and as a hint where layers are. Whether something is done is always asked of the cloud.
package protocol PublishJournal: Sendable {
  func note(_ entry: PublishEntry) async throws
  /// A repository of that registry into which each of these blobs was pushed, where one is known.
  func repositories(of registry: String, holding blobs: [Digest]) async throws -> [Digest: String]
  func notePushed(_ blobs: [Digest], registry: String, repository: String) async throws
}

/// One thing that a publication did.
package struct PublishEntry: Hashable, Sendable {
  package enum Stage: String, Hashable, Sendable, CaseIterable {
    /// The application is there and set up.
    case application
    /// The release exists as a draft.
    case draft
    /// All of its images, labels and assets are there and were read back.
    case complete
    case final
    /// A release with this content was there already.
    case found
  }
  /// Scheme, host and port of the API.
  package var api: String
  package var application: String
  package var version: String
  package var commit: String
  package var stage: Stage
  /// The release's id; the application's at ``Stage/application``.
  package var id: Int64

  package init(api: String, application: String, version: String, commit: String, stage: Stage, id: Int64) {
    self.api = api
    self.application = application
    self.version = version
    self.commit = commit
    self.stage = stage
    self.id = id
  }
}
