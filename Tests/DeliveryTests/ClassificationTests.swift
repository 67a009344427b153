import BlobStore
import Blocks
import BuildModel
import Executors
import Foundation
import HTTP
import Planning
import Preload
import Reports
import Store
import Testing

@testable import Delivery

/// What errors and names mean for a task.
struct ClassificationTests {
  private func causes() throws -> [(any Error, Failure.Kind, Blame)] {
    let digest = try #require(Digest(hex: String(repeating: "a", count: 64)))
    let attempt = AttemptID(request: RequestID(now: .now), slug: try Slug("a"), number: 1)
    return [
      // The coordinator: its disk, its store, its programs, and what nobody has thought of.
      (BlobStoreError.system(operation: "write", path: "/x", errno: ENOSPC), .coordinator, .coordinator),
      (BlobStoreError.system(operation: "read", path: "/x", errno: EIO), .coordinator, .coordinator),
      (ReportError(operation: "write", path: "/x", errno: ENOSPC), .coordinator, .coordinator),
      (StoreError.operation(path: "state.sqlite", reason: "disk I/O error"), .coordinator, .coordinator),
      (ExecutorError.local(operation: "socket", path: "", errno: EMFILE), .coordinator, .coordinator),
      (CocoaError(.fileWriteUnknown), .coordinator, .coordinator),
      (
        PlanningError.git(repository: "r", operation: "bundle", reason: "No space left on device", blame: .coordinator), .coordinator, .coordinator
      ),
      // A repository that git cannot read costs its device types, and no host anything.
      (PlanningError.git(repository: "r", operation: "bundle", reason: "unable to read x", blame: .repository), .rejected, .repository),
      (PreloadError.noDataPartition(image: "i", labels: []), .build, .repository),
      // Hosts.
      (PlanningError.unplannedSource(mirror: digest), .infrastructure, .host),
      (ExecutorError.unreachable(host: "h", reason: "down"), .infrastructure, .host),
      (ExecutorError.malformed(host: "h", what: "a line"), .infrastructure, .host),
      (ExecutorError.unknownAttempt(host: "h", attempt: attempt), .lost, .host),
      // Servers.
      (HTTPError.decoding(url: try HTTPURL("https://r.example/v2/"), what: "answer", reason: "empty"), .cloud, .cloud),
      (HTTPError.invalidURL("x:", reason: "no host"), .rejected, .request),
      (CancellationError(), .cancelled, .request),
    ]
  }

  @Test func sortsErrorsByWhoseFaultTheyAre() throws {
    for (error, kind, blame) in try causes() {
      let failure = Failure(cause: error)
      #expect(failure.kind == kind, "\(error)")
      #expect(failure.blame == blame, "\(error)")
    }
  }

  @Test func takesAFailureAsItIs() {
    let known = Failure(kind: .rejected, step: .verify, reason: "r", blame: .host)
    #expect(Failure(cause: known) == known)
  }

  /// Bytes that are not what they must be are the fault of whoever delivered them; a full disk here is not.
  @Test func blamesAHostForWhatItDelivers() throws {
    let digest = try #require(Digest(hex: String(repeating: "a", count: 64)))
    let wrong = BlobStoreError.mismatch(expected: digest, found: nil, source: "stream")
    #expect(Failure(collecting: wrong).blame == .host && Failure(cause: wrong).blame == .coordinator)
    let lie = BlocksError.mismatch(block: try BlockName("b"), what: "its platform", expected: "x", found: "y")
    #expect(Failure(collecting: lie).blame == .host && Failure(collecting: lie).kind == .rejected)
    #expect(Failure(collecting: BlobStoreError.system(operation: "write", path: "/x", errno: ENOSPC)).blame == .coordinator)
  }

  @Test(arguments: [
    ("balena-image-flasher-x.balenaos-img", "balena-image-x.balenaos-img"),
    ("resin-image-flasher-a-flasher-b.img", "resin-image-a-flasher-b.img"), ("plain.img", "plain.img"),
  ])
  func namesTheInnerImageOfAFlasher(flasher: String, raw: String) {
    #expect(PreloadStep.rawName(flasher) == raw)
  }
}
