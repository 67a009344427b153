import BuildModel

/// Why releases could not be read or made.
package enum ReleasesError: BlamedError {
  /// Wrong input or configuration.
  case usage(String)
  /// The input was right; this machine or a server could not do it.
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
