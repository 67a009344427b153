/// The wish to publish what a request builds.
package struct DeployRequest: Hashable, Sendable {
  package enum Mode: String, Hashable, Sendable, CaseIterable {
    /// Releases stay drafts.
    case draft
    /// Releases are finalized, last of all.
    case final
  }
  package var mode: Mode
  /// Name of a cloud, for example `staging`.
  package var cloud: String
  /// Whether the releases belong to the extended support applications; nil: as the version says.
  package var isESR: Bool?
  /// Publish although a version exists with other content.
  package var allowConflict: Bool

  package init(mode: Mode, cloud: String, isESR: Bool?, allowConflict: Bool = false) {
    self.mode = mode
    self.cloud = cloud
    self.isESR = isESR
    self.allowConflict = allowConflict
  }
}
