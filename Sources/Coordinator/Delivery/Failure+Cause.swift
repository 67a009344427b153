import BlobStore
import Blocks
import BuildModel
import Executors
import Glibc
import Planning
import Preload
import Reports

extension Failure {
  /// What a thrown error means for the task.
  package init(cause error: any Error) {
    switch error {
    case let failure as Failure: self = failure
    case is CancellationError: self.init(kind: .cancelled, step: nil, reason: "cancelled")
    case ExecutorError.unknownAttempt: self.init(kind: .lost, step: nil, reason: "the host does not know the attempt any more")
    case let error as PlanningError where error.blame != .host:
      // git and what it reads are here, not on a host: another one would be sent the same.
      self.init(kind: error.blame == .coordinator ? .coordinator : .rejected, step: .source, reason: "\(error)")
    case let error where Self.isOutOfSpace(error):
      self.init(kind: .coordinator, step: nil, reason: "the coordinator's disk is full: \(error)")
    default: self.init(kind: .infrastructure, step: nil, reason: "\(error)")
    }
  }

  /// Whether the coordinator's own disk has no room left.
  private static func isOutOfSpace(_ error: any Error) -> Bool {
    switch error {
    case let error as BlobStoreError: error.isOutOfSpace
    case let error as BlocksError: error.isOutOfSpace
    case let error as ReportError: error.isOutOfSpace
    case PreloadError.system(_, _, let code): code == ENOSPC
    default: false
    }
  }
}
