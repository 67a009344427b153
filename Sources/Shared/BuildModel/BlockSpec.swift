import FoundationEssentials

/// Where the packages of a task's blocks come from.
package struct FeedSpec: Codable, Hashable, Sendable {
  /// bitbake targets of all blocks to build (`os-release` is added by the worker); empty with a provided feed.
  package var recipes: [RecipeName]
  /// A feed that exists already: nothing is built for it.
  package var provided: ProvidedFeed?

  package init(recipes: [RecipeName], provided: ProvidedFeed? = nil) {
    self.recipes = recipes
    self.provided = provided
  }
}

/// A feed that was fetched and verified by the coordinator, as blobs.
package struct ProvidedFeed: Codable, Hashable, Sendable {
  package struct File: Codable, Hashable, Sendable {
    /// Below the feed's root: `<architecture>/Packages`, `<architecture>/<package file>`.
    package var path: RelativePath
    package var blob: BlobDescriptor

    package init(path: RelativePath, blob: BlobDescriptor) {
      self.path = path
      self.blob = blob
    }
  }
  /// PACKAGE_ARCHS, lowest preference first.
  package var architectures: [String]
  package var files: [File]

  package init(architectures: [String], files: [File]) {
    self.architectures = architectures
    self.files = files
  }
}

/// How a block's content comes to be.
package enum BlockOrigin: Codable, Hashable, Sendable {
  /// The listed packages of the feed, unpacked into an empty tree.
  case packages
  /// A Dockerfile with the feed as its build context: the one in `directory` below the repository's root, or the pre-defined one.
  /// `baseImage` is the image with opkg that the pre-defined one starts from.
  case dockerfile(directory: RelativePath?, baseImage: String?)
  /// An image recipe (`x-build` of a composition): bitbake makes `<recipe>-<MACHINE>.docker`. `arguments` go to the build wrapper as they are,
  /// `assets` are globs below `build/tmp/deploy/`.
  case recipe(RecipeName, arguments: [String], assets: [String])
  /// An image of a registry, fetched by the coordinator; workers never see such a block.
  case registry(reference: String)
}

/// How a block's tree becomes layers.
package enum Layering: String, Codable, Hashable, Sendable, CaseIterable {
  case single
  /// One layer a package architecture, so that what device types share is the same layer.
  case byArchitecture = "by-architecture"
}

/// One hostOS block to make.
package struct BlockSpec: Codable, Hashable, Sendable {
  package var name: BlockName
  package var origin: BlockOrigin
  /// Installed exactly as listed, no dependencies; empty unless the origin is ``BlockOrigin/packages`` or the pre-defined Dockerfile.
  package var packages: [PackageName]
  /// The recipes that should have made them, for messages.
  package var recipes: [RecipeName]
  package var labels: [String: String]
  package var platform: Platform
  /// Repository and tag in familiar form, for example `local/acme-pi-firmware:6.1.24_rev3`.
  package var reference: String
  package var layering: Layering
  /// Whether device nodes may be in packages.
  package var allowsDevices: Bool
  /// The exact packages to use; nil: the best of each name.
  package var lock: BlockLock?

  package init(
    name: BlockName, origin: BlockOrigin = .packages, packages: [PackageName], recipes: [RecipeName], labels: [String: String],
    platform: Platform, reference: String, layering: Layering = .single, allowsDevices: Bool = false, lock: BlockLock? = nil
  ) {
    self.name = name
    self.origin = origin
    self.packages = packages
    self.recipes = recipes
    self.labels = labels
    self.platform = platform
    self.reference = reference
    self.layering = layering
    self.allowsDevices = allowsDevices
    self.lock = lock
  }
}

/// The exact packages of a block and what its bytes depend on besides: enough to build it again.
package struct BlockLock: Codable, Hashable, Sendable {
  package struct Package: Codable, Hashable, Sendable {
    package var name: PackageName
    package var version: String
    /// The feed's directory it comes from.
    package var architecture: String
    /// sha256 of the ipk.
    package var digest: Digest
    /// The names by which the block lists the package; nil where that is its own alone.
    package var listedAs: [PackageName]?

    package init(name: PackageName, version: String, architecture: String, digest: Digest, listedAs: [PackageName]? = nil) {
      self.name = name
      self.version = version
      self.architecture = architecture
      self.digest = digest
      self.listedAs = listedAs
    }

    /// The names of the block's list that the package satisfies.
    package var listed: [PackageName] { listedAs ?? [name] }
  }
  /// Always 1.
  package var version = 1
  package var block: BlockName
  /// Names the compressor, its version and settings.
  package var compressor: String
  /// Seconds since 1970 that file times are clamped to.
  package var sourceDateEpoch: Int64
  /// In the order of installation.
  package var packages: [Package]

  package init(block: BlockName, compressor: String, sourceDateEpoch: Int64, packages: [Package]) {
    self.block = block
    self.compressor = compressor
    self.sourceDateEpoch = sourceDateEpoch
    self.packages = packages
  }
}
