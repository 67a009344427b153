import BlobStore
import BoundedConcurrency
import BuildModel
import HTTP
import OCIImage

/// An image that is in a blob store now, its manifest included.
package struct PulledImage: Sendable {
  package var manifest: RemoteManifest
  package var platform: Platform
  package var config: BlobDescriptor
  package var layers: [Descriptor]
}

extension RegistryClient {
  /// Fetches an image with everything it names. Each blob is checked against digest and size; what the store has is not fetched.
  ///
  /// Of an index, the image for `platform` is taken; a single image must be for it. More than `limit` bytes together are refused.
  package func pull(_ name: ManifestName, in repository: RepositoryName, platform: Platform?, into store: BlobStore, limit: Int64) async throws
    -> PulledImage
  {
    try await about(repository, "image \(name)") {
      let manifest = try await image(name, in: repository, platform: platform)
      guard case .image(let config, let layers) = manifest.content else {
        throw HTTPError.mismatch(what: "\(name)", expected: "an image", found: "an index inside an index")
      }
      var total: Int64 = 0
      var seen: Set<Digest> = []
      let blobs = ([config] + layers).map(\.blob).filter { seen.insert($0.digest).inserted }
      for blob in blobs {
        let (sum, isTooMuch) = total.addingReportingOverflow(blob.size)
        guard !isTooMuch, sum <= limit else { throw HTTPError.mismatch(what: "the image's size", expected: "at most \(limit) bytes", found: "more") }
        total = sum
      }
      guard config.size <= RemoteManifest.limit else {
        throw HTTPError.mismatch(what: "the size of config \(config.digest)", expected: "at most \(RemoteManifest.limit)", found: "\(config.size)")
      }
      try await fetch(blobs[0], in: repository, into: store)
      let found = try await self.platform(of: blobs[0], in: store)
      if let platform, !platform.matches(found) {
        throw HTTPError.mismatch(what: "the image's platform", expected: "\(platform)", found: "\(found)")
      }
      try await blobs.dropFirst().concurrentMap(atOnce: settings.blobsAtOnce) { try await fetch($0, in: repository, into: store) }
      try await storing { _ = try store.put(manifest.bytes) }
      return PulledImage(manifest: manifest, platform: found, config: blobs[0], layers: layers)
    }
  }

  /// Fetches one blob into the store, if it is not there.
  package func fetch(_ blob: BlobDescriptor, in repository: RepositoryName, into store: BlobStore) async throws {
    guard store.size(blob.digest) != blob.size else { return }
    try await about(repository, "blob \(blob.digest)") {
      let request = HTTPRequest(.get, try url(repository, "blobs/\(blob.digest)"))
      try await authorized(request, [RegistryScope(repository, [.pull])]) { try await http.download($0, into: store, expecting: blob) }
    }
  }

  private func image(_ name: ManifestName, in repository: RepositoryName, platform: Platform?) async throws -> RemoteManifest {
    let manifest = try await manifest(name, in: repository)
    guard case .index(let entries) = manifest.content else { return manifest }
    let offered = entries.map { "\($0.platform)" }.joined(separator: ", ")
    guard let platform else {
      throw HTTPError.mismatch(what: "\(name) is an index; the platform to take", expected: "one of \(offered)", found: "not given")
    }
    guard let entry = entries.first(where: { $0.platform.matches(platform) }) else {
      throw HTTPError.mismatch(what: "the platform in index \(name)", expected: "\(platform)", found: offered.isEmpty ? "none" : "only \(offered)")
    }
    let image = try await self.manifest(.digest(entry.manifest.digest), in: repository)
    guard image.blob.size == entry.manifest.size else {
      throw HTTPError.mismatch(what: "the size of \(entry.manifest.digest)", expected: "\(entry.manifest.size)", found: "\(image.blob.size)")
    }
    return image
  }

  private func platform(of config: BlobDescriptor, in store: BlobStore) async throws -> Platform {
    try await storing {
      let bytes = try store.read(config.digest, limit: RemoteManifest.limit)
      let found: Platform?
      do throws(DocumentFault) { found = try StoredImage.Config(bytes).platform } catch {
        throw HTTPError.mismatch(what: "config \(config.digest)", expected: "an image configuration", found: "another document: \(error.reason)")
      }
      guard let found else {
        throw HTTPError.mismatch(what: "config \(config.digest)", expected: "os and architecture", found: "none, or 'unknown'")
      }
      return found
    }
  }

  private func storing<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
    do {
      return try await BlockingWork.run(work)
    } catch let error as BlobStoreError {
      throw HTTPError.store(error)
    }
  }
}
