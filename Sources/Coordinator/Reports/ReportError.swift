import BuildModel
import Glibc

/// The deploy tree could not be written.
package struct ReportError: BlamedError {
  package let operation: String
  package let path: String
  package let errno: Int32

  package init(operation: String, path: String, errno: Int32) {
    self.operation = operation
    self.path = path
    self.errno = errno
  }

  package var blame: Blame { .coordinator }

  package var description: String { "\(operation) \(path): \(String(cString: strerror(errno)))" }
  package var isOutOfSpace: Bool { errno == ENOSPC || errno == EDQUOT }
}
