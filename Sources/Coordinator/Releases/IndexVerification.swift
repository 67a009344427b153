import BuildModel
import CanonicalJSON
import FoundationEssentials
import Publishing
import Reports

/// Compares the releases of a whole request with its `index.json`: what `release verify` does.
package struct IndexVerification: Sendable {
  package let index: IndexDocument

  /// Reads `index.json`, or the one in a request's directory.
  package init(path: String) throws {
    let file = path.hasSuffix(".json") ? path : path + "/index.json"
    guard let data = try? Data(contentsOf: URL(filePath: file)) else {
      throw ReleasesError.usage("\(file): cannot be read; name a request's directory or its index.json")
    }
    do {
      index = try CanonicalJSON.decode(IndexDocument.self, from: data, limit: IndexDocument.sizeLimit)
    } catch {
      throw ReleasesError.usage("\(file): is no index of a request: \(error)")
    }
  }

  /// A verdict for each release of the device types that were built; `slugs` limits them.
  ///
  /// What the index says was published is compared whole: every image, every asset. Of a request that published nothing the releases of its version are
  /// looked for, and the blocks in them compared; it knows no digests of hostapps.
  package func verify(in session: CloudSession, slugs: [String]) async throws -> [ReleaseVerification] {
    let built = index.deviceTypes.filter { $0.outcome == .built || $0.outcome == .reused }
    if let unknown = slugs.first(where: { slug in !built.contains { $0.slug.text == slug } }) {
      let near = NearestNames.of(unknown, among: built.map(\.slug.text))
      throw ReleasesError.usage(
        "'\(unknown)' was not built in this request; built: \((near.isEmpty ? built.map(\.slug.text) : near).joined(separator: ", "))")
    }
    let reports = built.filter { slugs.isEmpty || slugs.contains($0.slug.text) }
    var verdicts: [ReleaseVerification] = []
    for report in reports { verdicts += try await Self.verify(report, in: session) }
    return verdicts
  }

  private static func verify(_ report: DeviceTypeReport, in session: CloudSession) async throws -> [ReleaseVerification] {
    guard let releases = report.releases else { return try await verifyBlocks(of: report, in: session) }
    var verdicts: [ReleaseVerification] = []
    for release in releases { verdicts.append(try await verify(release, in: session)) }
    return verdicts
  }

  private static func verify(_ release: DeviceTypeReport.Release, in session: CloudSession) async throws -> ReleaseVerification {
    let expected = ReleaseExpectation(
      images: Dictionary(release.images.map { ($0.service, BlobDescriptor(digest: $0.digest, size: 0)) }, uniquingKeysWith: { first, _ in first }),
      assets: release.assets.map { assets in
        Dictionary(assets.map { ($0.key, BlobDescriptor(digest: $0.digest, size: $0.size)) }, uniquingKeysWith: { first, _ in first })
      },
      assetRules: [])
    let name = try session.application(release.application)
    do {
      return try await session.target.verify(.id(release.id), of: name, with: expected, registry: session.registry)
    } catch PublishingError.notFound(let what, _) {
      return ReleaseVerification(application: name.slug, release: 0, isFinal: false, compared: 0, differences: ["there is no \(what)"])
    }
  }

  /// What a request that published nothing has made, against what is there of its version:
  ///
  /// - the `-hostos` release with all blocks. Where no image was made (`--only blocks`) it need not be there and may hold more.
  /// - each block's own release. A service that a composition takes from a registry has none: it is enough that the `-hostos` release holds it.
  private static func verifyBlocks(of report: DeviceTypeReport, in session: CloudSession) async throws -> [ReleaseVerification] {
    guard let version = report.version else { throw ReleasesError.usage("\(report.slug): its repository could not be read, so nothing was released") }
    // Only the digests matter here; the index has no sizes of manifests.
    let images = Dictionary(
      report.blocks.map { ($0.name.text, BlobDescriptor(digest: $0.dockerDigest, size: 0)) }, uniquingKeysWith: { first, _ in first })
    func name(_ role: ApplicationRole) throws -> ApplicationName {
      try ApplicationName(organization: session.target.organization, slug: report.slug, role: role, isESR: version.isESR)
    }
    /// Without a release, `differences` says so, or there is no verdict.
    func verdict(_ name: ApplicationName, _ expected: ReleaseExpectation, isDemanded: Bool) async throws -> ReleaseVerification? {
      do {
        return try await session.target.verify(.version(version), of: name, with: expected, registry: session.registry)
      } catch PublishingError.notFound(let what, _) {
        guard isDemanded else { return nil }
        return ReleaseVerification(application: name.slug, release: 0, isFinal: false, compared: 0, differences: ["there is no \(what)"])
      }
    }
    let hostOS = try name(.hostOS)
    var held: Set<String> = []
    do {
      held = Set(try await session.target.releases(.version(version), of: hostOS).1.flatMap(\.images).map(\.service))
    } catch PublishingError.notFound {
      // Nothing is held.
    }
    var verdicts: [ReleaseVerification] = []
    for (block, image) in images.sorted(by: { $0.key < $1.key }) {
      let expected = ReleaseExpectation(images: [block: image], assets: nil, assetRules: [])
      if let verdict = try await verdict(name(.block(try BlockName(block))), expected, isDemanded: !held.contains(block)) { verdicts.append(verdict) }
    }
    let hasImages = !report.images.isEmpty
    let expected = ReleaseExpectation(
      images: hasImages ? images : images.filter { held.contains($0.key) }, otherServices: hasImages ? ["bootable", "hostapp"] : held, assets: nil,
      assetRules: [])
    if let verdict = try await verdict(hostOS, expected, isDemanded: hasImages) { verdicts.append(verdict) }
    return verdicts
  }
}
