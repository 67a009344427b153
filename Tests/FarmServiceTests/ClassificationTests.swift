import BlobStore
import BuildModel
import Executors
import Foundation
import Reports
import Testing

@testable import FarmService

/// What errors and names mean for a task.
struct ClassificationTests {
  @Test func sortsErrorsByWhoCanHelp() throws {
    let full = BlobStoreError.system(operation: "write", path: "/x", errno: ENOSPC)
    let damaged = BlobStoreError.system(operation: "read", path: "/x", errno: EIO)
    #expect(AttemptDriver.failure(for: full).kind == .coordinator)
    #expect(AttemptDriver.failure(for: ReportError(operation: "write", path: "/x", errno: ENOSPC)).kind == .coordinator)
    #expect(AttemptDriver.failure(for: damaged).kind == .infrastructure)
    #expect(AttemptDriver.failure(for: CancellationError()).kind == .cancelled)
    #expect(AttemptDriver.failure(for: ExecutorError.unreachable(host: "h", reason: "down")).kind == .infrastructure)
    let known = Failure(kind: .rejected, step: .verify, reason: "r")
    #expect(AttemptDriver.failure(for: known) == known)
  }

  @Test(arguments: [
    ("balena-image-flasher-x.balenaos-img", "balena-image-x.balenaos-img"),
    ("resin-image-flasher-a-flasher-b.img", "resin-image-a-flasher-b.img"), ("plain.img", "plain.img"),
  ])
  func namesTheInnerImageOfAFlasher(flasher: String, raw: String) {
    #expect(Delivery.rawName(flasher) == raw)
  }
}
