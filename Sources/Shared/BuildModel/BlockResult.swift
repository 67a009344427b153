import FoundationEssentials

/// A block as a worker made it: one config, one set of gzip layers, two manifests.
package struct BlockResult: Codable, Hashable, Sendable {
  package struct Layer: Codable, Hashable, Sendable {
    /// The gzip blob.
    package var blob: BlobDescriptor
    /// sha256 of the uncompressed tar.
    package var diffID: Digest
    package init(blob: BlobDescriptor, diffID: Digest) {
      self.blob = blob
      self.diffID = diffID
    }
  }
  package struct Package: Codable, Hashable, Sendable {
    package var name: PackageName
    package var version: String
    /// The feed's directory it comes from.
    package var architecture: String
    /// sha256 of the ipk.
    package var digest: Digest
    /// Bytes of the ipk.
    package var size: Int64
    /// What the feed's index says.
    package var recipe: String?
    package var license: String?
    /// The names by which the block lists the package; nil where that is its own alone.
    package var listedAs: [PackageName]?
    package init(
      name: PackageName, version: String, architecture: String, digest: Digest, size: Int64, recipe: String?, license: String?,
      listedAs: [PackageName]? = nil
    ) {
      self.name = name
      self.version = version
      self.architecture = architecture
      self.digest = digest
      self.size = size
      self.recipe = recipe
      self.license = license
      self.listedAs = listedAs
    }

    /// The names of the block's list that the package satisfies.
    package var listed: [PackageName] { listedAs ?? [name] }
  }
  package var name: BlockName
  package var reference: String
  package var platform: Platform
  /// The OCI image manifest.
  package var manifest: BlobDescriptor
  /// The Docker v2 manifest: what registries and devices refer to.
  package var dockerManifest: BlobDescriptor
  package var config: BlobDescriptor
  /// Lowest first.
  package var layers: [Layer]
  /// Empty for a block that was not assembled from packages.
  package var packages: [Package]
  /// Things worth knowing that are no failure: packages with maintainer scripts, recipes without a listed package.
  package var notices: [String]

  package init(
    name: BlockName, reference: String, platform: Platform, manifest: BlobDescriptor, dockerManifest: BlobDescriptor,
    config: BlobDescriptor, layers: [Layer], packages: [Package], notices: [String]
  ) {
    self.name = name
    self.reference = reference
    self.platform = platform
    self.manifest = manifest
    self.dockerManifest = dockerManifest
    self.config = config
    self.layers = layers
    self.packages = packages
    self.notices = notices
  }

  /// Every blob the block consists of.
  package var blobs: [BlobDescriptor] { [manifest, dockerManifest, config] + layers.map(\.blob) }
}
