/// Why the farm did not do what was asked, sorted by what the caller can do about it.
package enum FarmError: Error, Sendable, CustomStringConvertible {
  /// Wrong input or configuration; nothing was started (exit 2).
  case usage(String)
  /// The farm could not: no host, no disk, state unusable (exit 3).
  case farm(String)
  case cancelled

  package var description: String {
    switch self {
    case .usage(let text), .farm(let text): text
    case .cancelled: "cancelled"
    }
  }

  /// The process's exit status.
  package var status: Int32 {
    switch self {
    case .usage: 2
    case .farm: 3
    case .cancelled: 130
    }
  }
}
