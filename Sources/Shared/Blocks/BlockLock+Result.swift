import BuildModel
import CanonicalJSON
import FoundationEssentials
import OCIImage

extension BlockLock {
  /// The lock of a block that was made with this epoch (seconds since 1970): a function of its arguments and ``GzipChunks/identity`` alone.
  package init(_ result: BlockResult, epoch: Int64) { self.init(block: result.name, packages: result.packages, epoch: epoch) }

  package init(block: BlockName, packages: [BlockResult.Package], epoch: Int64) {
    self.init(
      block: block, compressor: GzipChunks.identity, sourceDateEpoch: epoch,
      packages: packages.map { Package(name: $0.name, version: $0.version, architecture: $0.architecture, digest: $0.digest, listedAs: $0.listedAs) })
  }

  /// The file's content: JSON in one line, keys sorted.
  package func bytes() throws -> [UInt8] { try CanonicalJSON.encode(self) }

  /// A lock is never larger; twice what 200,000 packages need.
  package static let sizeLimit = 64 << 20

  /// Reads what ``bytes()`` wrote, also when somebody reformatted it; throws with the reason when it is no lock.
  package static func parse(_ bytes: [UInt8], file: String) throws(BlocksError) -> BlockLock {
    do {
      return try CanonicalJSON.decode(BlockLock.self, from: bytes)
    } catch {
      throw .lockFile(path: file, reason: "\(error)")
    }
  }

  /// Whether these packages compressed here give the locked bytes; nil, or what differs.
  func mismatch(epoch: Int64, compresses: Bool) -> String? {
    if compresses, compressor != GzipChunks.identity {
      return "was made with the compressor \(compressor), here is \(GzipChunks.identity): the layers would have other digests"
    }
    if sourceDateEpoch != epoch { return "was made for the epoch \(sourceDateEpoch), here it is \(epoch): the layers would have other digests" }
    return nil
  }
}
