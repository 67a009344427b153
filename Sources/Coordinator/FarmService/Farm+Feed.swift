import BuildModel
import Planning
import RemoteFeed

extension Farm {
  /// The plan with the feed in every task that makes blocks from packages.
  func provide(
    _ feed: FeedProvision, to plan: Plan, notice: @escaping @Sendable (String) -> Void
  ) async throws -> Plan {
    var plan = plan
    do {
      for index in plan.tasks.indices where plan.tasks[index].needsFeed {
        let blocks = plan.tasks[index].builtBlocks.filter(\.needsFeed)
        // A block with a Dockerfile of its own may install anything, so it gets all that there is.
        let takesAll = blocks.contains { if case .dockerfile(_?, _) = $0.origin { true } else { false } }
        let names = blocks.flatMap(\.packages)
        plan.tasks[index].feed = try await feed.feed(
          takesAll ? nil : names, into: environment.blobs, records: environment.configuration.state + "/feeds", notice: notice)
      }
      return plan
    } catch is CancellationError {
      throw CancellationError()
    } catch {
      throw FarmError.usage("the feed \(feed.location) cannot be used: \(error)")
    }
  }
}
