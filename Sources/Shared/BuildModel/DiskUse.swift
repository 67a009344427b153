/// What still uses the disk of a host below the worker's root; the answer of `gc --usage` is a list of them.
package struct DiskUse: Codable, Hashable, Sendable {
  package enum Kind: String, Codable, Hashable, Sendable, CaseIterable {
    /// What attempts made that their coordinator has not acknowledged.
    case unacknowledged
    case running
    case downloads
    case sharedState = "shared-state"
    /// Work trees in which nobody builds.
    case checkouts
    /// Source mirrors and bitbake's parse caches.
    case sources
  }
  package var kind: Kind
  /// Attempts; 0 where it is none of theirs.
  package var attempts: Int
  package var bytes: Int64

  package init(kind: Kind, attempts: Int = 0, bytes: Int64) {
    (self.kind, self.attempts, self.bytes) = (kind, attempts, bytes)
  }
}
