import BuildModel
import Glibc

/// What can go wrong in a blob store.
package enum BlobStoreError: BlamedError {
  case notFound(Digest)
  case mismatch(expected: Digest, found: Digest?, source: String)
  case tooLarge(Digest, size: Int64, limit: Int)
  case system(operation: String, path: String, errno: Int32)
  /// A frame header or its bytes are not as they must be.
  case malformedFrame(String)

  package var blame: Blame { .coordinator }

  package var description: String {
    switch self {
    case .notFound(let digest): "blob \(digest) is not in the store"
    case .mismatch(let expected, let found, let source):
      "content is not \(expected): found \(found.map(\.description) ?? "nothing") (\(source))"
    case .tooLarge(let digest, let size, let limit): "blob \(digest) has \(Counted(size, "byte")), more than the \(limit) allowed here"
    case .system(let operation, let path, let code): "\(operation) \(path): \(String(cString: strerror(code)))"
    case .malformedFrame(let reason): "blob stream is malformed: \(reason)"
    }
  }

  /// Whether the disk is full: a matter of the host, not of the content.
  package var isOutOfSpace: Bool {
    if case .system(_, _, let code) = self { code == ENOSPC || code == EDQUOT } else { false }
  }
}
