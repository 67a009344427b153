import BuildModel
import Feed

/// The packages of one block, exactly as listed: no dependencies, the best candidate of each.
package struct PackageSelection: Sendable {
  package struct Item: Sendable {
    package var name: PackageName
    package var candidate: PackageFeed.Candidate
  }
  /// In the order of the block's list, each package once.
  package let items: [Item]
  /// Recipes of the block from which no listed package comes.
  package let recipesWithoutPackage: [RecipeName]

  package init(_ block: BlockSpec, from feed: PackageFeed) throws(BlocksError) {
    var items: [Item] = []
    for name in block.packages where !items.contains(where: { $0.name == name }) {
      guard let best = feed.candidates[name]?.first else {
        throw .missingPackage(block: block.name, name, nearest: Self.nearest(to: name, in: feed, recipes: block.recipes), recipes: block.recipes)
      }
      items.append(Item(name: name, candidate: best))
    }
    self.items = items
    let made = Set(items.compactMap(\.candidate.stanza.recipe))
    recipesWithoutPackage = block.recipes.filter { !made.contains($0.text) }
  }

  /// Names that look alike, then what the block's recipes did make; at most ten.
  private static func nearest(to name: PackageName, in feed: PackageFeed, recipes: [RecipeName]) -> [String] {
    let alike = NearestNames.of(name.text, among: feed.candidates.keys.map(\.text))
    let wanted = Set(recipes.map(\.text))
    let made = feed.candidates.filter { $0.value.contains { wanted.contains($0.stanza.recipe ?? "") } }.keys.map(\.text).sorted()
    return Array((alike + made.filter { !alike.contains($0) }).prefix(10))
  }
}
