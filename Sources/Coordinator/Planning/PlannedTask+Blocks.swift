import BuildModel

extension PlannedTask {
  /// Blocks that a worker makes.
  package var builtBlocks: [BlockSpec] { blocks.filter { !$0.isFetched } }

  /// Blocks that the coordinator fetches from a registry.
  package var fetchedBlocks: [BlockSpec] { blocks.filter(\.isFetched) }

  /// Whether some block is made from packages, so that a feed is needed.
  package var needsFeed: Bool { blocks.contains(where: \.needsFeed) }
}

extension BlockSpec {
  /// Whether the block is taken from a registry instead of being made.
  package var isFetched: Bool {
    if case .registry = origin { true } else { false }
  }

  /// Whether the block is made from a package feed.
  package var needsFeed: Bool {
    switch origin {
    case .packages, .dockerfile: true
    case .recipe, .registry: false
    }
  }
}
