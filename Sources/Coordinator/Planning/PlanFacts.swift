import BuildModel

/// What planning must know besides the repositories. Empty: nothing is released, and feeds are built.
package struct PlanFacts: Sendable {
  /// A block's release at the version of its device type.
  package struct Release: Hashable, Sendable {
    /// What a registry is asked for.
    package var reference: String
    package var labels: [String: String]

    package init(reference: String, labels: [String: String]) {
      self.reference = reference
      self.labels = labels
    }
  }

  /// By device type and block.
  package var releases: [Slug: [BlockName: Release]] = [:]
  /// Device types whose released blocks were all made here, byte for byte: they are used as if nothing were released, with all that is known of them.
  package var atHand: Set<Slug> = []
  /// Feeds that exist already.
  package var feeds: [FeedQuestion: ProvidedFeed] = [:]

  package init() {}
}

/// What a device type's blocks need of a feed.
package struct FeedQuestion: Hashable, Sendable {
  /// The packages that each block lists.
  package var lists: [[PackageName]]
  /// The best of everything else, too.
  package var takesAll: Bool
}
