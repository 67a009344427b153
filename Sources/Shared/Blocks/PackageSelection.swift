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
        throw .missingPackage(
          block: block.name, name, nearest: NearestNames.of(name.text, among: feed.candidates.keys.map(\.text)), recipes: block.recipes)
      }
      items.append(Item(name: name, candidate: best))
    }
    self.items = items
    let made = Set(items.compactMap(\.candidate.stanza.recipe))
    recipesWithoutPackage = block.recipes.filter { !made.contains($0.text) }
  }
}
