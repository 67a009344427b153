import BlobStore
import Blocks
import BoundedConcurrency
import BuildModel

/// Proves blocks from their bytes: a block is what its spec asks for, whoever made it.
struct VerifyStep: Sendable {
  let blobs: BlobStore

  func run(_ blocks: [BlockResult], against specs: [BlockSpec]) async throws {
    let blobs = blobs
    for block in blocks {
      guard let wanted = specs.first(where: { $0.name == block.name }) else { continue }
      _ = try await BlockingWork.run { try BlockVerification.verify(block, against: wanted, in: blobs) }
    }
  }
}
