import BlobStore
import Blocks
import BuildModel
import Containers
import Feed
import FoundationEssentials
import Glibc
import Processes
import Source
import Yocto

extension AttemptRunner {
  /// Says what an error means for the attempt: the build is wrong, the host is, or the input.
  func failure(from error: any Error, step: Step?) -> Failure {
    switch error {
    case var failure as Failure:
      failure.step = failure.step ?? step
      return failure
    case let error as SourceError:
      if interruption.isRequested { return Failure(kind: .cancelled, step: step, reason: "cancelled") }
      if error.isInputFault { return Failure(kind: .rejected, step: step, reason: "\(error)", blame: .repository) }
      return Failure(kind: .infrastructure, step: step, reason: "\(error)")
    case let error as YoctoError:
      return Failure(kind: error.isHostTrouble ? .infrastructure : .build, step: step, reason: "\(error)", details: error.details)
    case let error as FeedError:
      return Failure(kind: error.isHostTrouble ? .infrastructure : .build, step: step, reason: "\(error)")
    case let error as BlocksError:
      return Failure(kind: error.isOutOfSpace ? .infrastructure : .build, step: step, reason: "\(error)")
    case BlobStoreError.notFound(let digest):
      return Failure(kind: .infrastructure, step: step, reason: "\(digest) was sent to this host but is not there any more")
    case let error as ArtifactLayout.InvalidArtifact:
      return Failure(kind: .rejected, step: step, reason: "\(error)", blame: .repository)
    default:
      // Of what is left, all is about files and processes of this host.
      return Failure(kind: .infrastructure, step: step, reason: "\(error)")
    }
  }
}

extension FeedError {
  /// A file that cannot be read although it is there.
  fileprivate var isHostTrouble: Bool {
    if case .system(_, _, let code) = self { code != ENOENT && code != ENOTDIR } else { false }
  }
}

extension YoctoError {
  fileprivate var isHostTrouble: Bool {
    if case .system(_, _, let code) = self { code != ENOENT && code != ENOTDIR } else { false }
  }
}
