import Balena
import BlobStore
import BuildModel
import HTTP
import Registry

/// Publishes device types, one call each: applications, drafts, assets, and at the very end final.
///
/// A device type that fails leaves drafts only. The same call again goes on where the first one was, whatever ended it.
package struct Publisher: Sendable {
  package struct Options: Sendable {
    package var mode: PublishMode
    /// Publish although the version exists with other content.
    package var allowConflict: Bool
    package init(mode: PublishMode, allowConflict: Bool = false) {
      self.mode = mode
      self.allowConflict = allowConflict
    }
  }

  /// What became of one application.
  package struct Published: Hashable, Sendable {
    package var application: String
    package var release: Int64
    package var commit: String
    /// As the server spells it.
    package var version: String
    package var isFinal: Bool
    /// Pull references by service.
    package var images: [String: String]
    /// Manifests by service.
    package var digests: [String: Digest]
    /// What this publication attached, by asset key; nil for a release of somebody else.
    package var assets: [String: BlobDescriptor]?
    /// A release of somebody else with the same images was there.
    package var wasFound: Bool
  }

  let target: PublishTarget
  let pusher: ImagePusher
  let blobs: BlobStore
  let journal: any PublishJournal
  let report: @Sendable (PublishEvent) -> Void

  package init(
    target: PublishTarget, registry: RegistryAccess, blobs: BlobStore, journal: any PublishJournal,
    report: @escaping @Sendable (PublishEvent) -> Void = { _ in }
  ) {
    self.target = target
    pusher = ImagePusher(access: registry, blobs: blobs, journal: journal)
    self.blobs = blobs
    self.journal = journal
    self.report = report
  }

  /// One application of the device type on its way.
  private struct Work: Sendable {
    var description: ReleaseDescription
    var isHost: Bool
    var application: CloudApplication
    /// Complete; nil until it was brought there.
    var release: CloudRelease?
    var wasFound = false
  }

  /// Publishes a device type; gives a record for each of its applications, blocks first and the hostOS last.
  ///
  /// `whenComplete` runs when all releases are complete and before any becomes final: what fails there leaves drafts.
  package func publish(
    _ publication: Publication, _ options: Options, whenComplete: () async throws -> Void = {}
  ) async throws -> [Published] {
    guard options.mode == .draft || publication.isRelease else {
      throw PublishingError.invalid(
        what: "\(publication.slug) \(publication.version)",
        reason: "the commit is not the version's tag or the tree was dirty, so it cannot become final; publish a draft")
    }
    let descriptions = try Self.describe(publication, organization: target.organization)
    let account = try await target.account()
    guard let deviceType = try await target.client.deviceType(publication.slug.text) else {
      throw PublishingError.notFound(what: "device type '\(publication.slug)' in \(target.client.api.origin)", available: [])
    }
    let isPublic = try await self.isPublic(deviceType)
    // Every conflict is known before anything is made.
    for (description, _) in descriptions {
      guard let there = try await target.client.application(slug: description.application.slug) else { continue }
      _ = try await standing(of: description, in: there, options)
    }
    var works: [Work] = []
    for (description, isHost) in descriptions {
      let setup = ApplicationSetup(
        name: description.application, deviceType: deviceType, isPublic: isPublic, isHost: isHost, repositoryURL: publication.repositoryURL,
        isESR: publication.version.isESR)
      let application = try await setup.apply(to: target)
      try await note(.application, application.id.number, description)
      report(.application(application.slug))
      works.append(Work(description: description, isHost: isHost, application: application))
    }
    let releases = ReleasePublisher(target: target, account: account, pusher: pusher, blobs: blobs, note: note, report: report)
    try await complete(&works, releases, options)
    try await whenComplete()
    if options.mode == .final { try await finalize(&works, releases, publication, options) }
    return works.compactMap(Self.record)
  }

  /// Descriptions of all applications, in the order in which they become final: blocks, hostapp, hostOS.
  package static func describe(
    _ publication: Publication, organization: String
  ) throws -> [(description: ReleaseDescription, isHost: Bool)] {
    func name(_ role: ApplicationRole) throws(PublishingError) -> ApplicationName {
      try ApplicationName(organization: organization, slug: publication.slug, role: role, isESR: publication.version.isESR)
    }
    var result: [(description: ReleaseDescription, isHost: Bool)] = []
    for block in publication.blocks {
      let services = [block.name.text: ReleaseComposition.blockService(block.image)]
      result.append(
        (
          try ReleaseDescription(
            application: name(.block(block.name)), version: publication.version, services: services,
            composition: ReleaseComposition.plain(services, version: "2.4"), contract: block.contract,
            isDraftOnly: !publication.isRelease), false
        ))
    }
    if let hostapp = publication.hostapp {
      let services = ["hostapp": ReleaseComposition.hostappService(hostapp)]
      result.append(
        (
          try ReleaseDescription(
            application: name(.hostapp), version: publication.version, services: services,
            composition: ReleaseComposition.plain(services, version: "2.4"), contract: hostapp.contract, assets: hostapp.assets,
            assetRules: AssetRules.rules(for: publication.deviceType), isDraftOnly: !publication.isRelease), true
        ))
      let (all, composition) = try ReleaseComposition.hostOS(hostapp, blocks: publication.blocks)
      result.append(
        (
          try ReleaseDescription(
            application: name(.hostOS), version: publication.version, services: all, composition: composition, contract: nil,
            isDraftOnly: !publication.isRelease), false
        ))
    }
    guard Set(result.map(\.description.application)).count == result.count else {
      throw PublishingError.invalid(what: publication.slug.text, reason: "two of its applications would have one name")
    }
    return result
  }

  private func isPublic(_ deviceType: CloudDeviceType) async throws -> Bool {
    switch try await target.client.isPrivate(deviceType.id) {
    case false?: return true
    case true?: return false
    case nil:
      report(.notice("the server does not say whether \(deviceType.slug) is private; its applications are not made public"))
      return false
    }
  }

  private func standing(
    of description: ReleaseDescription, in application: CloudApplication, _ options: Options
  ) async throws -> ReleaseStanding {
    let standing = try await ReleaseLookup(client: target.client).standing(of: description, in: application)
    guard case .conflict(let release, let reason) = standing else { return standing }
    guard release.commit != description.commit else {
      throw PublishingError.invalidated(
        application: application.slug, version: description.version.version.text, release: Int(release.id.number))
    }
    guard options.allowConflict else {
      throw PublishingError.conflict(
        application: application.slug, version: description.version.version.text, release: Int(release.id.number), reason: reason)
    }
    report(.notice("\(application.slug) \(description.version.version) exists as release \(release.id) with other content (\(reason)); allowed"))
    return .absent
  }

  /// Brings all releases to completeness, one application after the other so that a layer is pushed once and mounted for the next.
  private func complete(_ works: inout [Work], _ releases: ReleasePublisher, _ options: Options) async throws {
    for index in works.indices {
      let work = works[index]
      if case .same(let found) = try await standing(of: work.description, in: work.application, options) {
        works[index].release = found
        works[index].wasFound = true
        let assets = work.description.assets.isEmpty ? [] : try await target.client.assets(of: found.id)
        let others = ReleaseStanding.differences(of: found, assets: assets, from: work.description)
        if !others.isEmpty {
          report(
            .notice(
              "\(work.application.slug): release \(found.id) of somebody else has the same images and is left as it is, but differs in "
                + others.joined(separator: ", ")))
        }
        try await note(.found, found.id.number, work.description)
        report(.found(work.application.slug, release: found.id.number))
        continue
      }
      let (release, wasComplete) = try await releases.complete(work.description, in: work.application)
      works[index].release = release
      try await note(.complete, release.id.number, work.description)
      report(wasComplete ? .found(work.application.slug, release: release.id.number) : .complete(work.application.slug, release: release.id.number))
    }
  }

  private func finalize(_ works: inout [Work], _ releases: ReleasePublisher, _ publication: Publication, _ options: Options) async throws {
    // Somebody may have published the version while this was pushing.
    for work in works where !work.wasFound { _ = try await standing(of: work.description, in: work.application, options) }
    for work in works where !work.wasFound { if let release = work.release { try await releases.proveAssets(of: release, work.description) } }
    var tags = [ReleaseLookup.versionTag: publication.version.text]
    if publication.version.isESR, let base = publication.baseVersion { tags["meta-balena-base"] = base.text }
    for index in works.indices where !works[index].wasFound {
      let release = try await releases.finalize(
        works[index].description, isAlone: !options.allowConflict, tags, in: works[index].application)
      works[index].release = release
      try await note(.final, release.id.number, works[index].description)
    }
    guard let line = SupportLine(of: publication.version) else { return }
    for work in works { try await shift(line, of: work.application) }
  }

  /// Moves the support lines that an application's tags name, in an order that can be cut off anywhere.
  private func shift(_ line: SupportLine, of application: CloudApplication) async throws {
    guard let now = try await target.client.application(slug: application.slug) else {
      throw PublishingError.notFound(what: "application \(application.slug)", available: [])
    }
    for change in try SupportLines(tags: now.tags, of: now.slug).changes(for: line, of: now.slug) {
      let value = try await target.client.setTag(change.tag.rawValue, to: change.line.text, of: now.id)
      guard value == change.line.text else {
        throw PublishingError.unexpected(
          what: "tag \(change.tag.rawValue) of \(now.slug)", found: value.map { "'\($0)'" } ?? "not there", expected: "'\(change.line.text)'")
      }
    }
  }

  private func note(_ stage: PublishEntry.Stage, _ id: Int64, _ description: ReleaseDescription) async throws {
    try await journal.note(
      PublishEntry(
        api: target.client.api.origin.description, application: description.application.slug, version: description.version.version.text,
        commit: description.commit, stage: stage, id: id))
  }

  private static func record(_ work: Work) -> Published? {
    guard let release = work.release else { return nil }
    return Published(
      application: work.application.slug, release: release.id.number, commit: release.commit, version: release.rawVersion,
      isFinal: release.isFinal,
      images: Dictionary(
        release.images.compactMap { image in image.pullReference.map { (image.service, $0) } }, uniquingKeysWith: { first, _ in first }),
      digests: Dictionary(
        release.images.compactMap { image in image.contentHash.map { (image.service, $0) } }, uniquingKeysWith: { first, _ in first }),
      assets: work.wasFound
        ? nil : Dictionary(work.description.assets.map { ($0.key.text, $0.blob) }, uniquingKeysWith: { first, _ in first }),
      wasFound: work.wasFound)
  }
}
