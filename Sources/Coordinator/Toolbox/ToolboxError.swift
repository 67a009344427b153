import BuildModel

/// Why what needs no farm could not be done.
package enum ToolboxError: BlamedError {
  /// Wrong input or configuration.
  case usage(String)
  /// The input was right; this machine or a server could not do it.
  case farm(String)
  case cancelled

  package var description: String {
    switch self {
    case .usage(let text), .farm(let text): text
    case .cancelled: "cancelled"
    }
  }

  package var blame: Blame {
    switch self {
    case .usage: .request
    case .farm, .cancelled: .coordinator
    }
  }
}
