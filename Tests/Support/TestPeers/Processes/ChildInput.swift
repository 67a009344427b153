import CLinux
import Glibc
import TestFiles

extension Child {
  /// What a child reads from its standard input.
  package enum Input: Sendable {
    /// `/dev/null`.
    case nothing
    case bytes([UInt8])
    /// Nothing comes, and it stays open until the child or the tests end.
    case open

    /// The descriptor for the child, and one that has to stay open for as long as the child is to wait.
    func open() throws -> (reading: Int32, writing: Int32?) {
      switch self {
      case .nothing: return (Glibc.open("/dev/null", O_RDONLY | O_CLOEXEC), nil)
      case .bytes(let bytes):
        // A file, which is in no directory any more: a pipe would want somebody to fill it.
        return try withScratchDirectory { scratch in
          try write(bytes, to: scratch + "/input")
          return (Glibc.open(scratch + "/input", O_RDONLY | O_CLOEXEC), nil)
        }
      case .open:
        let ends = try Pipe.make()
        return (ends.reading, ends.writing)
      }
    }
  }

  enum Pipe {
    /// No other child inherits an end of it.
    static func make() throws -> (reading: Int32, writing: Int32) {
      var ends: [Int32] = [-1, -1]
      guard pipe2(&ends, O_CLOEXEC) == 0 else { throw PeerError("no pipe: \(String(cString: strerror(errno)))") }
      return (ends[0], ends[1])
    }
  }
}
