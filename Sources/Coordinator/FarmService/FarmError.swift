import BuildModel

/// Why the farm did not do what was asked, sorted by what the caller can do about it.
package enum FarmError: BlamedError {
  /// Wrong input or configuration; nothing was started.
  case usage(String)
  /// The farm could not: no host, no disk, state unusable.
  case farm(String)

  package var description: String {
    switch self {
    case .usage(let text), .farm(let text): text
    }
  }

  package var blame: Blame {
    switch self {
    case .usage: .request
    case .farm: .coordinator
    }
  }
}
