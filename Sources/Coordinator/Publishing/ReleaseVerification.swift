import Balena
import BuildModel

/// What a release is compared with: the local index of what was built.
package struct ReleaseExpectation: Sendable {
  /// Docker v2 manifest by service.
  package var images: [String: BlobDescriptor]
  /// Services beyond ``images`` that may be there, with any digest.
  package var otherServices: Set<String>
  /// Files by asset key; nil compares none.
  package var assets: [String: BlobDescriptor]?
  package var assetRules: [AssetRules.Rule]

  package init(
    images: [String: BlobDescriptor], otherServices: Set<String> = [], assets: [String: BlobDescriptor]?, assetRules: [AssetRules.Rule]
  ) {
    self.images = images
    self.otherServices = otherServices
    self.assets = assets
    self.assetRules = assetRules
  }
}

/// The verdict of `release verify`.
package struct ReleaseVerification: Codable, Hashable, Sendable {
  /// Always 1.
  package var version = 1
  package var application: String
  package var release: Int64
  package var isFinal: Bool
  /// Digests that were compared: manifests, their blobs in the registry, assets.
  package var compared: Int
  /// Everything that is not as expected; empty is good.
  package var differences: [String]

  /// `release` is 0 where there is none.
  package init(application: String, release: Int64, isFinal: Bool, compared: Int, differences: [String]) {
    self.application = application
    self.release = release
    self.isFinal = isFinal
    self.compared = compared
    self.differences = differences
  }

  /// Compares the records alone: services, digests, asset keys and sizes.
  package static func compare(_ release: CloudRelease, assets: [CloudAsset], with expected: ReleaseExpectation) -> [String] {
    var differences: [String] = []
    for image in release.images {
      guard let wanted = expected.images[image.service] else {
        if !expected.otherServices.contains(image.service) { differences.append("service '\(image.service)' is not expected") }
        continue
      }
      if image.status != .success { differences.append("the image of '\(image.service)' is \(image.status.rawValue)") }
      if image.contentHash != wanted.digest {
        differences.append("'\(image.service)' is \(image.contentHash?.description ?? "not pushed"), expected \(wanted.digest)")
      }
    }
    for (service, count) in Dictionary(grouping: release.images, by: \.service).mapValues(\.count) where count > 1 {
      differences.append("service '\(service)' has \(Counted(count, "image"))")
    }
    for service in expected.images.keys.sorted() where !release.images.contains(where: { $0.service == service }) {
      differences.append("service '\(service)' is missing")
    }
    if release.status != .success { differences.append("its status is \(release.status.rawValue)") }
    if release.isInvalidated { differences.append("it is invalidated") }
    let whole = assets.filter { $0.file?.size != nil }
    for rule in AssetRules.unmet(expected.assetRules, by: whole.map(\.key)) { differences.append("asset \(rule) is missing") }
    if let wanted = expected.assets {
      for asset in assets {
        guard let blob = wanted[asset.key] else {
          differences.append("asset \(asset.key) is not expected")
          continue
        }
        if asset.file?.size != blob.size {
          differences.append("asset \(asset.key) has \(asset.file?.size.map { "\($0)" } ?? "no") bytes, expected \(blob.size)")
        }
      }
      for key in wanted.keys.sorted() where !assets.contains(where: { $0.key == key }) { differences.append("asset \(key) is missing") }
    }
    return differences
  }
}
