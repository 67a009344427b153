import BuildModel
import Glibc
import Processes

/// Sources that cannot be taken in or checked out.
package enum SourceError: Error, Sendable, CustomStringConvertible {
  /// git said no: to a bundle, a commit, a path.
  case git(operation: String, subject: String, output: String)
  /// git did not finish in its time.
  case timedOut(operation: String, subject: String, seconds: Double)
  case bundleLacksCommit(CommitID)
  case tagMissing(tag: String, repository: String)
  case invalidTag(String)
  case largeFiles(repository: String, path: String)
  case submoduleNotPlaced(path: RelativePath, reason: String)
  case system(operation: String, path: String, errno: Int32)

  package var description: String {
    switch self {
    case .git(let operation, let subject, let output): "git \(operation) \(subject): \(output)"
    case .timedOut(let operation, let subject, let seconds): "git \(operation) \(subject) took more than \(Int(seconds)) s"
    case .bundleLacksCommit(let commit): "the bundle does not lead to commit \(commit)"
    case .tagMissing(let tag, let repository): "\(repository): tag '\(tag)' did not come with the source"
    case .invalidTag(let tag): "'\(tag.prefix(100))' is not a tag name"
    case .largeFiles(let repository, let path):
      "\(repository): '\(path)' is kept in Git LFS, which workers cannot fetch; commit the file itself"
    case .submoduleNotPlaced(let path, let reason): "submodule '\(path)' cannot be placed: \(reason)"
    case .system(let operation, let path, let code): "\(operation) \(path): \(String(cString: strerror(code)))"
    }
  }

  /// Whether the input is wrong (else the host is).
  package var isInputFault: Bool {
    switch self {
    case .largeFiles, .invalidTag, .submoduleNotPlaced, .bundleLacksCommit, .tagMissing: true
    case .git, .timedOut, .system: false
    }
  }
}
