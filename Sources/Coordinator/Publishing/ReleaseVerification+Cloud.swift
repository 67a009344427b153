import Balena
import BuildModel
import HTTP
import Registry

extension PublishTarget {
  /// Reads a release again and compares every digest: manifests, what they name in the registry, labels' services and assets.
  ///
  /// The newest release that the selector names is taken. Differences are the answer, not an error.
  package func verify(
    _ selector: ReleaseSelector, of name: ApplicationName, with expected: ReleaseExpectation, registry: RegistryAccess
  ) async throws -> ReleaseVerification {
    let (application, releases) = try await releases(selector, of: name)
    let release = releases.first(where: \.isVisible) ?? releases[0]
    let assets = try await client.assets(of: release.id)
    var differences = ReleaseVerification.compare(release, assets: assets, with: expected)
    var compared = release.images.count + (expected.assets?.count ?? 0)
    for image in release.images {
      let (count, problems) = try await Self.check(image, registry)
      compared += count
      differences += problems
    }
    for asset in assets {
      // A different size has been reported already.
      guard let wanted = expected.assets?[asset.key], asset.file?.size == wanted.size else { continue }
      do {
        try await client.check(asset, expecting: wanted)
      } catch HTTPError.mismatch(_, _, let found) {
        differences.append("asset \(asset.key) is \(found), expected \(wanted.digest)")
      }
    }
    return ReleaseVerification(
      application: application.slug, release: release.id.number, isFinal: release.isFinal, compared: compared, differences: differences)
  }

  /// Whether the registry has the image's manifest, byte for byte by its digest, and everything that it names.
  static func check(_ image: CloudRelease.Image, _ registry: RegistryAccess) async throws -> (compared: Int, problems: [String]) {
    guard let digest = image.contentHash else { return (0, []) }
    let reference = try ImageReference(image.location)
    let client = try await registry.client(for: reference.registry)
    let manifest: RemoteManifest
    do {
      guard try await client.manifestDigest(.digest(digest), in: reference.repository) != nil else {
        return (1, ["the registry has no manifest \(digest) of '\(image.service)'"])
      }
      // Its digest is recomputed there.
      manifest = try await client.manifest(.digest(digest), in: reference.repository)
    } catch let error as any ExchangeFailure where error.isOtherContent {
      return (1, ["the manifest of '\(image.service)' is not \(digest): \(error)"])
    }
    guard case .image(let config, let layers) = manifest.content else { return (1, ["'\(image.service)' is an index of images"]) }
    var problems: [String] = []
    for layer in [config] + layers {
      do {
        if try await !client.has(layer.blob, in: reference.repository) {
          problems.append("the registry has no blob \(layer.digest) of '\(image.service)'")
        }
      } catch let error as any ExchangeFailure where error.isOtherContent {
        problems.append("blob \(layer.digest) of '\(image.service)' is not what the manifest says: \(error)")
      }
    }
    return (2 + layers.count, problems)
  }

  /// Makes a draft final after looking at all of it: `release finalize`.
  ///
  /// Refused when an image is not whole in the registry, an asset is missing, or the version exists in another release. `version` is what the release
  /// is known by; `rules` are checked for a host application.
  package func finalize(
    _ selector: ReleaseSelector, of name: ApplicationName, version: OSVersion, rules: [AssetRules.Rule], registry: RegistryAccess,
    report: @escaping @Sendable (PublishEvent) -> Void = { _ in }
  ) async throws -> ReleaseReport {
    let (application, releases) = try await releases(selector, of: name)
    let candidates = releases.filter { !$0.isInvalidated && ($0.status == .success || $0.status == .running) }
    guard let release = candidates.first, candidates.count == 1 || release.isFinal else {
      throw PublishingError.notFound(
        what: "single release \(selector) of \(name)", available: candidates.map { "id:\($0.id) (\($0.rawVersion), commit \($0.commit))" })
    }
    if let reason = release.tags[ReleaseLookup.draftOnlyTag] {
      throw PublishingError.invalid(what: "release \(release.id) of \(name)", reason: "it may not become final: \(reason)")
    }
    let assets = try await client.assets(of: release.id)
    let expected = ReleaseExpectation(
      images: Dictionary(
        release.images.compactMap { image in image.contentHash.map { (image.service, BlobDescriptor(digest: $0, size: 0)) } },
        uniquingKeysWith: { first, _ in first }), assets: nil, assetRules: application.isHost ? rules : [])
    var problems = ReleaseVerification.compare(release, assets: assets, with: expected)
    for image in release.images { problems += try await Self.check(image, registry).problems }
    guard problems.isEmpty, !release.images.isEmpty else {
      throw PublishingError.invalid(
        what: "release \(release.id) of \(name)", reason: problems.isEmpty ? "it has no image" : problems.joined(separator: "; "))
    }
    if let other = try await ReleaseLookup(client: client).existing(version, in: application.id), other.id != release.id {
      throw PublishingError.conflict(
        application: application.slug, version: version.text, release: Int(other.id.number), reason: "it is another release than \(release.id)")
    }
    let final = try await ReleaseFinalizer(client: client, report: report).finalize(
      release, as: ReleaseVersion(version), isAlone: true, [ReleaseLookup.versionTag: version.text], in: application)
    return ReleaseReport(final, assets: assets, application: application.slug)
  }
}
