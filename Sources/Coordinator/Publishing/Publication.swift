import Balena
import BuildModel

/// Everything that is to be published for one device type. Blobs are in the coordinator's store; nothing here is read from a worker any more.
package struct Publication: Sendable {
  package struct Block: Hashable, Sendable {
    package var name: BlockName
    package var image: PublishableImage
    /// Its contract as the release carries it: type `sw.application` or `sw.block`; nil for none.
    package var contract: BalenaJSON?

    package init(name: BlockName, image: PublishableImage, contract: BalenaJSON? = nil) {
      self.name = name
      self.image = image
      self.contract = contract
    }
  }

  package struct Hostapp: Hashable, Sendable {
    package var image: PublishableImage
    package var contract: BalenaJSON?
    /// Short git revision of the device repository, for the label `io.balena.private.hostapp.board-rev`.
    package var boardRevision: String?
    /// Files of the release, checked against ``AssetRules``.
    package var assets: [Asset]
    /// The merged composition of the hostOS release, placeholders of built images still in it; nil: `bootable` and a service a block.
    package var composition: BalenaJSON?
    /// Images for services of ``composition`` that are neither the hostapp nor one of the blocks, by service.
    package var otherImages: [String: PublishableImage]

    package init(
      image: PublishableImage, contract: BalenaJSON? = nil, boardRevision: String? = nil, assets: [Asset], composition: BalenaJSON? = nil,
      otherImages: [String: PublishableImage] = [:]
    ) {
      self.image = image
      self.contract = contract
      self.boardRevision = boardRevision
      self.assets = assets
      self.composition = composition
      self.otherImages = otherImages
    }
  }

  package struct Asset: Hashable, Sendable {
    /// The asset's key, for example `compressed/part-0.deflate`.
    package var key: RelativePath
    package var blob: BlobDescriptor
    package init(key: RelativePath, blob: BlobDescriptor) {
      self.key = key
      self.blob = blob
    }
  }

  package var deviceType: DeviceType
  package var version: OSVersion
  /// False for a commit that is not the tag itself, or a dirty tree: it may become a draft, never final.
  package var isRelease: Bool
  /// meta-balena's version without its build part; only used for an extended support release.
  package var baseVersion: OSVersion?
  /// Where the device repository is, for people; nil leaves the application's field alone.
  package var repositoryURL: String?
  package var blocks: [Block]
  /// nil where only blocks are published.
  package var hostapp: Hostapp?

  package init(
    deviceType: DeviceType, version: OSVersion, isRelease: Bool, baseVersion: OSVersion? = nil, repositoryURL: String?, blocks: [Block],
    hostapp: Hostapp?
  ) {
    self.deviceType = deviceType
    self.version = version
    self.isRelease = isRelease
    self.baseVersion = baseVersion
    self.repositoryURL = repositoryURL
    self.blocks = blocks
    self.hostapp = hostapp
  }

  package var slug: Slug { deviceType.slug }
}

/// How far a publication goes.
package enum PublishMode: String, Hashable, Sendable, CaseIterable {
  /// Complete releases that no device is given.
  case draft
  /// The same, and at the very end final.
  case final
}

/// An image with a Docker v2 manifest, all of its blobs in the store: what was verified is what is pushed.
package struct PublishableImage: Hashable, Sendable {
  package var manifest: BlobDescriptor
  package var config: BlobDescriptor
  /// gzip, lowest first.
  package var layers: [BlobDescriptor]
  package var labels: [String: String]

  package init(manifest: BlobDescriptor, config: BlobDescriptor, layers: [BlobDescriptor], labels: [String: String]) {
    self.manifest = manifest
    self.config = config
    self.layers = layers
    self.labels = labels
  }

  /// A block as a worker made it; labels are the plan's.
  package init(_ block: BlockResult, labels: [String: String]) {
    self.init(manifest: block.dockerManifest, config: block.config, layers: block.layers.map(\.blob), labels: labels)
  }

  /// Config first, then layers.
  package var blobs: [BlobDescriptor] { [config] + layers }
}
