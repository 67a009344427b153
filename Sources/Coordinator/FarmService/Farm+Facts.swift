import BuildModel
import Delivery
import Planning
import Releases
import RemoteFeed

/// What planning must know besides the repositories.
extension Farm {
  func facts(
    for draft: PlanDraft, released: ReleasedBlocks, feed: FeedProvision?, notice: @escaping @Sendable (String) -> Void
  ) async throws -> PlanFacts {
    var facts = PlanFacts()
    facts.releases = released.releases
    facts.atHand = try await atHand(released, for: draft)
    guard let feed else { return facts }
    for question in try draft.feedQuestions(facts) {
      facts.feeds[question] = try await feed.feed(
        question.lists, takesAll: question.takesAll, into: context.blobs, records: context.configuration.state + "/feeds", notice: notice)
    }
    return facts
  }

  /// Device types whose released blocks an earlier request of this farm made, byte for byte. They are used as if nothing were released, so that a
  /// request that was cut off while it published goes on as the same one.
  private func atHand(_ released: ReleasedBlocks, for draft: PlanDraft) async throws -> Set<Slug> {
    var found: Set<Slug> = []
    let parts = PartStore(context.delivery)
    for task in draft.tasks {
      guard let releases = released.releases[task.slug], let made = try await parts.blocks(task)?.blocks else { continue }
      let isSame = releases.allSatisfy { name, release in
        made.contains { $0.name == name && release.reference.hasSuffix("@\($0.dockerManifest.digest)") }
      }
      if isSame { found.insert(task.slug) }
    }
    return found
  }
}
