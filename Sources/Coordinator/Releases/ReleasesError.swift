import BuildModel

/// Why releases could not be read or made.
package enum ReleasesError: BlamedError {
  /// Wrong input or configuration.
  case usage(String)
  /// The input was right; this machine could not do it.
  case farm(String)
  /// The input was right; the cloud's server could not do it, or was not reached.
  case cloud(String)

  package var description: String {
    switch self {
    case .usage(let text), .farm(let text), .cloud(let text): text
    }
  }

  package var blame: Blame {
    switch self {
    case .usage: .request
    case .farm: .coordinator
    case .cloud: .cloud
    }
  }
}
