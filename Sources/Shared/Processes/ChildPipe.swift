import CLinux
import Glibc

/// A connection between the caller and a child, with an end for each. Both ends are close-on-exec from the moment they exist: another child
/// that is started meanwhile cannot hold them open. What is still open is closed with the value.
package struct ChildPipe: ~Copyable {
  /// The caller's end; -1 once it was taken.
  package private(set) var own: Int32
  /// The end that becomes one of the child's descriptors.
  package let childEnd: Int32

  private init(own: Int32, childEnd: Int32) {
    self.own = own
    self.childEnd = childEnd
  }

  deinit {
    if own >= 0 { close(own) }
    close(childEnd)
  }

  /// For what the child writes. `program` is named in the error.
  package static func output(of program: String) throws(ProcessError) -> ChildPipe {
    let ends = try pipe(program)
    return ChildPipe(own: ends.reading, childEnd: ends.writing)
  }

  /// For what the child reads.
  package static func input(of program: String) throws(ProcessError) -> ChildPipe {
    let ends = try pipe(program)
    return ChildPipe(own: ends.writing, childEnd: ends.reading)
  }

  /// For what the child reads, as a pair of sockets: a write to a child that is gone can then be an error instead of SIGPIPE (`MSG_NOSIGNAL`).
  package static func inputSocket(of program: String) throws(ProcessError) -> ChildPipe {
    var ends: [Int32] = [-1, -1]
    guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else {
      throw .system(operation: "make a socket pair for", subject: program, errno: errno)
    }
    return ChildPipe(own: ends[0], childEnd: ends[1])
  }

  /// Hands the caller's end over, to be closed by whoever takes it.
  package mutating func takeOwn() -> Int32 {
    defer { own = -1 }
    return own
  }

  private static func pipe(_ program: String) throws(ProcessError) -> (reading: Int32, writing: Int32) {
    var ends: [Int32] = [-1, -1]
    guard pipe2(&ends, O_CLOEXEC) == 0 else { throw .system(operation: "make a pipe for", subject: program, errno: errno) }
    return (ends[0], ends[1])
  }
}
