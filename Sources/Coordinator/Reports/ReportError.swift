import BuildModel
import Glibc

/// The deploy tree could not be written.
package struct ReportError: BlamedError {
  package let operation: String
  package let path: String
  package let errno: Int32
  /// Where more is known than the number says: a clause to be put after the path.
  private let reason: String?

  package init(operation: String, path: String, errno: Int32) {
    self.operation = operation
    self.path = path
    self.errno = errno
    reason = nil
  }

  /// Something that must not be replaced is at the place of an output.
  package init(output path: String, reason: String) {
    operation = "replace"
    self.path = path
    errno = EEXIST
    self.reason = reason
  }

  /// A path that cannot be written to is the fault of who named it, a full or broken disk is not.
  package var blame: Blame { PathFault.isCause(of: errno) ? .request : .coordinator }

  package var description: String { reason.map { "\(path) \($0)" } ?? "\(operation) \(path): \(String(cString: strerror(errno)))" }
  package var isOutOfSpace: Bool { errno == ENOSPC || errno == EDQUOT }
}
