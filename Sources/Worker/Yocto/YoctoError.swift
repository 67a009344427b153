import BuildModel
import Glibc

/// Files of a build that cannot be collected.
package enum YoctoError: Error, Sendable, CustomStringConvertible {
  /// The build did not make a file that it had to make; `present` is what is there instead, at most 40 names.
  case missing(path: String, present: [String])
  /// A file is there, but from before the run: the wrapper did not make it.
  case stale(path: String)
  /// A path or link leads out of the build's tree.
  case escapes(path: String, target: String)
  case notAFile(path: String)
  case system(operation: String, path: String, errno: Int32)
  case archive(path: String, reason: String)

  package var description: String {
    switch self {
    case .missing(let path, _): "the build did not make '\(path)'"
    case .stale(let path): "'\(path)' is older than this build: the build wrapper did not make it, whatever it reported"
    case .escapes(let path, let target): "'\(path)' leads out of the work tree to '\(target)'"
    case .notAFile(let path): "'\(path)' is not a regular file"
    case .system(let operation, let path, let code): "\(operation) \(path): \(String(cString: strerror(code)))"
    case .archive(let path, let reason): "\(path): \(reason)"
    }
  }

  /// What was there, for the failure's details.
  package var details: [String] {
    if case .missing(_, let present) = self { present.isEmpty ? ["nothing is there"] : ["there are:"] + present } else { [] }
  }
}
