import BuildModel

/// The state database could not do its work.
package enum StoreError: BlamedError {
  case open(path: String, reason: String)
  case corrupt(what: String, reason: String)
  case operation(path: String, reason: String)

  package var blame: Blame { .coordinator }

  package var description: String {
    switch self {
    case .open(let path, let reason):
      "\(path) cannot be opened: \(reason)"
    case .corrupt(let what, let reason): "\(what) in the state database cannot be read: \(reason)"
    case .operation(let path, let reason): "the state database \(path) cannot be used: \(reason)"
    }
  }
}
