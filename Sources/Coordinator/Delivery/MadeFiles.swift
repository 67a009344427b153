import BuildModel
import CanonicalJSON
import Planning

import struct Crypto.SHA256

/// What the coordinator itself makes of a device type's parts, as blobs: preloaded images and the files of its blocks.
struct MadeFiles: Codable, Sendable {
  struct File: Codable, Sendable {
    var path: RelativePath
    var blob: BlobDescriptor
  }
  /// Below `images/`.
  var images: [File]
  /// Below `deploy-jenkins/`: the blocks, and images with the blocks in place of those that the build left there.
  var archives: [File]
  var notices: [String]

  var blobs: [BlobDescriptor] { (images + archives).map(\.blob) }

  /// The step key: the same blocks in the same image by the same writer give the same bytes.
  static func key(_ task: PlannedTask, system: SystemPart?, blocks: [BlockResult]) throws -> Digest? {
    struct Inputs: Encodable {
      var slug: Slug
      var images: [Artifact]
      var blocks: [BlockResult]
      var version: OSVersion
      var epoch: Int64
    }
    let inputs = Inputs(slug: task.slug, images: system?.diskImages ?? [], blocks: blocks, version: task.osVersion, epoch: task.sourceDateEpoch)
    return Digest(bytes: SHA256.hash(data: Array("delivery 5\n".utf8) + (try CanonicalJSON.encode(inputs))))
  }
}
