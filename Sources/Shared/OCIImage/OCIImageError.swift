import BlobStore
import BuildModel
import Glibc

/// An image could not be written or is not what it claims to be.
package enum OCIImageError: BlamedError {
  case store(BlobStoreError)
  case invalidPath(String)
  case compression(String)
  case malformed(what: String, reason: String)
  case system(operation: String, path: String, errno: Int32)

  package var blame: Blame {
    switch self {
    case .invalidPath, .malformed: .request
    case .store, .compression: .coordinator
    case .system(_, _, let code): PathFault.isCause(of: code) ? .request : .coordinator
    }
  }

  package var description: String {
    switch self {
    case .store(let error): error.description
    case .invalidPath(let path): "'\(path)' cannot be the path of a layer entry"
    case .compression(let reason): "compression failed: \(reason)"
    case .malformed(let what, let reason): "\(what) is malformed: \(reason)"
    case .system(let operation, let path, let code): "\(operation) \(path): \(errorText(code))"
    }
  }
}

private func errorText(_ code: Int32) -> String { String(cString: strerror(code)) }
