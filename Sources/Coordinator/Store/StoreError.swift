import BuildModel

/// The state database could not do its work.
package enum StoreError: BlamedError {
  case open(path: String, reason: String)
  case corrupt(what: String, reason: String)
  case operation(String)

  package var blame: Blame { .coordinator }

  package var description: String {
    switch self {
    case .open(let path, let reason):
      "the state database \(path) cannot be opened: \(reason) (check the directory's owner and the free disk)"
    case .corrupt(let what, let reason): "\(what) in the state database cannot be read: \(reason)"
    case .operation(let reason): "the state database refused a change: \(reason)"
    }
  }
}
