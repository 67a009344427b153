import BlobStore
import BuildModel
import Glibc

/// An image could not be written or is not what it claims to be.
package enum OCIImageError: BlamedError {
  case store(BlobStoreError)
  case invalidPath(String)
  case compression(String)
  /// `reason` is a clause about `what`: `it has …`.
  case malformed(what: String, reason: String)
  /// What was named is not there, or not one image; the text says what is there instead.
  case selection(String)
  /// Something that must not be replaced is at a place that is to be written.
  case output(path: String, reason: String)
  case system(operation: String, path: String, errno: Int32)

  package var blame: Blame {
    switch self {
    case .invalidPath, .malformed, .selection, .output: .request
    case .store, .compression: .coordinator
    case .system(_, _, let code): PathFault.isCause(of: code) ? .request : .coordinator
    }
  }

  package var description: String {
    switch self {
    case .store(let error): error.description
    case .invalidPath(let path): "\(Printable.quoted(path)) cannot be the path of a layer entry"
    case .compression(let reason): "compression failed: \(reason)"
    case .malformed(let what, let reason): "\(what) is malformed: \(reason)"
    case .selection(let text): text
    case .output(let path, let reason): "\(path) \(reason)"
    case .system(let operation, let path, let code): "\(operation) \(path): \(String(cString: strerror(code)))"
    }
  }
}
