import BlobStore
import Blocks
import BuildModel
import Executors
import Glibc
import OCIImage
import Planning
import Preload
import Reports

extension Failure {
  /// What a thrown error means for the task: the error's own blame decides, and what nobody has thought of is the coordinator's.
  package init(cause error: any Error) {
    switch error {
    case let failure as Failure: self = failure
    case is CancellationError: self.init(kind: .cancelled, step: nil, reason: "cancelled")
    case ExecutorError.unknownAttempt: self.init(kind: .lost, step: nil, reason: "the host does not know the attempt any more")
    case let error as PlanningError where error.blame != .host:
      // git and what it reads are here, not on a host: another one would be sent the same.
      self.init(kind: error.blame == .coordinator ? .coordinator : .rejected, step: .source, reason: "\(error)", blame: error.blame)
    case let error where Self.isOutOfSpace(error):
      self.init(kind: .coordinator, step: nil, reason: "the coordinator's disk is full: \(error)")
    case let error as any BlamedError: self.init(error, blame: Self.blame(error))
    default: self.init(kind: .coordinator, step: nil, reason: "\(error)")
    }
  }

  /// The same for an error while an outcome is fetched and verified: bytes that are not what they must be are the host's that delivered them.
  package init(collecting error: any Error) {
    switch error {
    case BlocksError.store(.mismatch), BlocksError.store(.malformedFrame), BlobStoreError.mismatch, BlobStoreError.malformedFrame:
      self.init(kind: .infrastructure, step: .collect, reason: "\(error)")
    case let error as BlocksError where !Self.isOutOfSpace(error) && error.blame != .coordinator:
      self.init(kind: .rejected, step: .verify, reason: "\(error)", blame: .host)
    default: self.init(cause: error)
    }
  }

  private init(_ error: any BlamedError, blame: Blame) {
    let kind: Kind =
      switch blame {
      case .host: .infrastructure
      case .coordinator: .coordinator
      case .cloud: .cloud
      case .request: .rejected
      // What its build made cannot be used.
      case .repository: .build
      }
    self.init(kind: kind, step: nil, reason: "\(error)", blame: blame)
  }

  /// The tools' errors blame the request for a file that cannot be used. In a farm the file is what a build made.
  private static func blame(_ error: any BlamedError) -> Blame {
    switch error {
    case is BlocksError, is OCIImageError, is PreloadError: error.blame == .request ? .repository : error.blame
    default: error.blame
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
