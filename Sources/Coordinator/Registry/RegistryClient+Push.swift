import BoundedConcurrency
import BuildModel
import HTTP
import OCIImage

import struct Crypto.SHA256

/// A manifest as it was built; these bytes are what is deployed.
package struct LocalManifest: Hashable, Sendable {
  package let bytes: [UInt8]
  package let mediaType: String
  package let blob: BlobDescriptor

  package init(_ bytes: [UInt8], mediaType: String) throws(HTTPError) {
    guard let digest = Digest(bytes: SHA256.hash(data: bytes)) else { throw .mismatch(what: "a manifest", expected: "a digest", found: "none") }
    self.bytes = bytes
    self.mediaType = mediaType
    blob = BlobDescriptor(digest: digest, size: Int64(bytes.count))
  }
}

/// An image on this machine: its manifest and everything that it names.
package struct LocalImage: Sendable {
  package var manifest: LocalManifest
  /// Config and layers.
  package var blobs: [LocalBlob]
  package init(manifest: LocalManifest, blobs: [LocalBlob]) {
    self.manifest = manifest
    self.blobs = blobs
  }
}

/// What a push did.
package struct PushReport: Hashable, Sendable {
  /// By which the image is now known in the registry.
  package var digest: Digest
  package var uploaded: [BlobDescriptor] = []
  package var mounted: [BlobDescriptor] = []
  package var present: [BlobDescriptor] = []
  /// The name led to this very manifest before.
  package var manifestWasThere: Bool
}

extension RegistryClient {
  /// Puts an image into a repository: blobs first, several at once, the manifest last. What is there is not sent; repeating it is harmless.
  ///
  /// `sources` are repositories of this registry that may hold the image's blobs.
  package func push(
    _ image: LocalImage, to repository: RepositoryName, as name: ManifestName, sources: [RepositoryName] = []
  ) async throws -> PushReport {
    var report = PushReport(digest: image.manifest.blob.digest, manifestWasThere: false)
    report.manifestWasThere = try await manifestDigest(name, in: repository) == image.manifest.blob.digest
    var seen: Set<Digest> = []
    let blobs = image.blobs.filter { seen.insert($0.blob.digest).inserted }
    let arrivals = try await blobs.concurrentMap(atOnce: settings.blobsAtOnce) { try await ensure($0, in: repository, sources: sources) }
    for (blob, arrival) in zip(blobs, arrivals) {
      switch arrival {
      case .present: report.present.append(blob.blob)
      case .mounted: report.mounted.append(blob.blob)
      case .uploaded: report.uploaded.append(blob.blob)
      }
    }
    if !report.manifestWasThere || report.present.count < blobs.count { try await put(image.manifest, as: name, in: repository) }
    return report
  }
}
