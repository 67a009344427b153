import BlobStore
import BuildModel
import Executors
import Foundation
import Planning
import Reports
import Testing

@testable import Delivery

/// What errors and names mean for a task.
struct ClassificationTests {
  @Test func sortsErrorsByWhoCanHelp() throws {
    let full = BlobStoreError.system(operation: "write", path: "/x", errno: ENOSPC)
    let damaged = BlobStoreError.system(operation: "read", path: "/x", errno: EIO)
    #expect(Failure(cause: full).kind == .coordinator)
    #expect(Failure(cause: ReportError(operation: "write", path: "/x", errno: ENOSPC)).kind == .coordinator)
    #expect(Failure(cause: damaged).kind == .infrastructure)
    let git = PlanningError.git(repository: "r", operation: "bundle", reason: "unable to read x", blame: .repository)
    #expect(Failure(cause: git) == Failure(kind: .rejected, step: .source, reason: "repository r: git bundle: unable to read x"))
    let space = PlanningError.git(repository: "r", operation: "bundle", reason: "No space left on device", blame: .coordinator)
    #expect(Failure(cause: space).kind == .coordinator)
    #expect(Failure(cause: CancellationError()).kind == .cancelled)
    #expect(Failure(cause: ExecutorError.unreachable(host: "h", reason: "down")).kind == .infrastructure)
    let known = Failure(kind: .rejected, step: .verify, reason: "r")
    #expect(Failure(cause: known) == known)
  }

  @Test(arguments: [
    ("balena-image-flasher-x.balenaos-img", "balena-image-x.balenaos-img"),
    ("resin-image-flasher-a-flasher-b.img", "resin-image-a-flasher-b.img"), ("plain.img", "plain.img"),
  ])
  func namesTheInnerImageOfAFlasher(flasher: String, raw: String) {
    #expect(PreloadStep.rawName(flasher) == raw)
  }
}
