import BuildModel

/// Why parts that are at hand could not be made into what people take away. None of it is expected: the plan and the outcome were checked before.
package enum DeliveryError: BlamedError {
  case invalidFileName(String)
  /// A path that would leave the deploy tree.
  case outsideTree(String)
  /// Hostapp and image were planned, and no attempt has made them.
  case missingParts(Slug)
  /// A block that is to be fetched and names no registry.
  case notFetched(BlockName)

  package var description: String {
    switch self {
    case .invalidFileName(let name): "'\(name)' cannot be a file name"
    case .outsideTree(let path): "'\(path)' leaves the deploy tree"
    case .missingParts(let slug): "hostapp and image of \(slug) are missing"
    case .notFetched(let block): "block \(block) is not one of a registry"
    }
  }

  package var blame: Blame { .coordinator }
}
