import BuildModel

/// Why a block fits a device type, or does not.
package struct BlockExplanation: Codable, Hashable, Sendable {
  package var deviceType: Slug
  package var block: String
  /// The contract or composition file that defines the block.
  package var file: String
  package var fits: Bool
  /// The entries of the contract's `requires`, all of which are needed; a service of a composition has none.
  package var requirements: [RequirementVerdict]
  /// Where the block's content comes from, for people; nil where it cannot be built.
  package var origin: String?
  /// Why it cannot be built although its requirements are met.
  package var problem: String?

  /// For people: one line on the block, then its requirements.
  package var lines: [String] {
    var lines = ["\(deviceType) \(block): \(problem.map { "cannot be built: \($0)" } ?? (fits ? "fits" : "does not fit"))", "  \(file)"]
    if let origin { lines.append("  made from \(origin)") }
    if requirements.isEmpty { lines.append("  requires nothing") }
    return lines + requirements.flatMap { $0.lines(indent: 2) }
  }
}

extension BlockOrigin {
  /// Where the content comes from, for people.
  package var summary: String {
    switch self {
    case .packages: "packages of the feed"
    case .dockerfile(let directory?, _): "the Dockerfile in \(directory)"
    case .dockerfile(nil, let image): "packages of the feed, by the pre-defined Dockerfile on \(image ?? "its own base image")"
    case .recipe(let recipe, _, _): "the image of recipe \(recipe)"
    case .registry(let reference): "the image \(reference)"
    }
  }
}
