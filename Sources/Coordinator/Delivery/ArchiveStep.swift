import BlobStore
import Blocks
import BuildModel
import FoundationEssentials
import Glibc
import OCIImage
import Planning

/// The files that people get of each block: a docker-archive, and of a block that is made from packages its lock and its bill of materials.
/// Synchronous.
struct ArchiveStep: Sendable {
  let blobs: BlobStore
  let scratch: String

  func run(_ blocks: [BlockResult], of task: PlannedTask) throws -> [MadeFiles.File] {
    var files: [MadeFiles.File] = []
    for block in blocks {
      files.append(try archive(block, of: task))
      guard !block.packages.isEmpty else { continue }
      files.append(try document(BlockLock(block, epoch: task.sourceDateEpoch).bytes(), of: block, "lock.json", task))
      files.append(try document(BillOfMaterials(block, epoch: task.sourceDateEpoch).bytes(), of: block, "spdx.json", task))
    }
    return files
  }

  private func archive(_ block: BlockResult, of task: PlannedTask) throws -> MadeFiles.File {
    let path = try path(of: block, "docker", task)
    let temporary = "\(scratch)/archive-\(UUID().uuidString)"
    defer { unlink(temporary) }
    try DockerArchive.write(block, from: blobs, epoch: task.sourceDateEpoch, to: temporary)
    return .init(path: path, blob: try blobs.adopt(file: temporary))
  }

  private func document(_ bytes: [UInt8], of block: BlockResult, _ suffix: String, _ task: PlannedTask) throws -> MadeFiles.File {
    .init(path: try path(of: block, suffix, task), blob: try blobs.put(bytes))
  }

  private func path(of block: BlockResult, _ suffix: String, _ task: PlannedTask) throws -> RelativePath {
    let name = "\(task.slug)-\(block.name)-\(task.osVersion).\(suffix)"
    guard let path = RelativePath(name) else { throw DeliveryError.invalidFileName(name) }
    return path
  }
}
