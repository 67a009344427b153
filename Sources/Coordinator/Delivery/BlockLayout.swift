import BlobStore
import BuildModel
import CanonicalJSON
import FoundationEssentials
import OCIImage
import Reports

/// The request's OCI image layout with every block that was built or reused; the name of each is `<slug>-<block>-<version>`.
package enum BlockLayout {
  package static func write(_ index: IndexDocument, tree: DeployTree, blobs: BlobStore) throws {
    var images: [ImageLayout.Image] = []
    for report in index.deviceTypes {
      for block in report.blocks {
        let bytes = try blobs.read(block.digest, limit: 4 << 20)
        let manifest = try CanonicalJSON.decode(ImageManifest.self, from: bytes)
        let parts = ([manifest.config] + manifest.layers).map(\.blob)
        let tag = report.version?.imageTag ?? "unknown"
        images.append(
          .init(
            name: "\(report.slug)-\(block.name)-\(tag)", manifest: BlobDescriptor(digest: block.digest, size: Int64(bytes.count)),
            platform: block.platform, blobs: parts))
      }
    }
    guard !images.isEmpty else { return }
    try DeployTree.makeDirectory(tree.root)
    try ImageLayout(directory: tree.ociLayout).write(images, from: blobs)
  }
}
