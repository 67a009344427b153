import Balena
import BlobStore
import BoundedConcurrency
import BuildModel
import HTTP

/// Brings one release to completeness as a draft, and later to final.
///
/// It never carries a list of what it has done: each round reads what the cloud has and does what is missing. So it does not matter who did the rest, this
/// run, one that was killed, or another coordinator at the same time.
struct ReleasePublisher: Sendable {
  let target: PublishTarget
  let account: CloudActor
  let pusher: ImagePusher
  let blobs: BlobStore
  /// Writes an entry of the journal.
  let note: @Sendable (PublishEntry.Stage, Int64, ReleaseDescription) async throws -> Void
  let report: @Sendable (PublishEvent) -> Void

  /// Rounds that a release may take; a plain one takes four.
  private static let rounds = 16
  /// Actions at once for one release.
  private static let width = 4

  private var client: BalenaClient { target.client }
  private var lookup: ReleaseLookup { ReleaseLookup(client: client) }

  /// Makes the draft or goes on with the one that is there, until nothing is missing; gives the release as it was read last, and whether it was
  /// complete before.
  func complete(
    _ description: ReleaseDescription, in application: CloudApplication
  ) async throws -> (release: CloudRelease, wasComplete: Bool) {
    var isFirst = true
    var missing: [ReleaseAction] = []
    var failure: (error: any ExchangeFailure, missing: [ReleaseAction], repeats: Int)?
    for _ in 0..<Self.rounds {
      defer { isFirst = false }
      guard let release = try await current(description, application) else {
        try await create(description, application)
        continue
      }
      missing = try description.remaining(in: release, assets: description.assets.isEmpty ? [] : try await client.assets(of: release.id))
      if missing.isEmpty { return (release, isFirst) }
      // Nothing has changed since it failed: it was no other coordinator.
      if let failure, failure.missing == missing, failure.repeats >= (failure.error.leavesUnknown ? 2 : 0) { throw failure.error }
      do {
        try await perform(missing, description, application, release)
        failure = nil
      } catch let error as any ExchangeFailure where error.leavesUnknown || error.wasOvertaken {
        // What nobody knows is seen in the next round, and so is what somebody else did.
        failure = (error, missing, failure?.missing == missing ? (failure?.repeats ?? 0) + 1 : 0)
      }
    }
    if let failure { throw failure.error }
    throw PublishingError.unsettled(
      what: "the release of \(application.slug) \(description.version.version)", remaining: missing.map(\.description).joined(separator: ", "))
  }

  /// The release with our commit that counts. Surplus drafts of the same commit are removed: whoever else makes this release chooses the same one.
  private func current(_ description: ReleaseDescription, _ application: CloudApplication) async throws -> CloudRelease? {
    let all = try await client.releases(commit: description.commit, of: application.id)
    guard let chosen = ReleaseStanding.chosen(all) else { return nil }
    for surplus in all where surplus.id != chosen.id && surplus.status == .running && !surplus.isFinal {
      try await client.remove(release: surplus.id)
    }
    return chosen
  }

  private func create(_ description: ReleaseDescription, _ application: CloudApplication) async throws {
    // Without a version a draft from an untagged commit cannot be taken for one of the tag.
    let semver = description.isDraftOnly ? nil : try await lookup.postedVersion(description.version, in: application.id)
    let user = account.kind == .user ? RowID<UserTable>(account.ownID) : nil
    let release = try await client.createRelease(
      of: application.id, by: user, commit: description.commit, composition: description.composition, contract: description.contract,
      semver: semver, start: .now)
    try await note(.draft, release.id.number, description)
    report(.draft(application.slug, release: release.id.number))
  }

  private func perform(
    _ actions: [ReleaseAction], _ description: ReleaseDescription, _ application: CloudApplication, _ release: CloudRelease
  ) async throws {
    try await actions.concurrentMap(atOnce: Self.width) { try await perform($0, description, application, release) }
  }

  private func perform(
    _ action: ReleaseAction, _ description: ReleaseDescription, _ application: CloudApplication, _ release: CloudRelease
  ) async throws {
    switch action {
    case .addImage(let service):
      let id = try await client.service(service, of: application.id)
      try await client.addImage(of: id, to: release.id, start: .now)
    case .removeImage(let id, _): try await client.remove(id)
    case .addLabel(_, let id, let name, let value): try await client.addLabel(name, value, to: id)
    case .push(let service, let id, let location):
      guard let wanted = description.services[service] else { return }
      report(.pushing(application.slug, service: service))
      let size = try await pusher.push(wanted.image, to: location)
      try await client.markPushed(id, manifest: wanted.image.manifest.digest, size: size, at: .now)
    case .putAsset(let asset):
      report(.attaching(application.slug, asset: asset.key.text))
      try await put(asset, to: release)
    case .markDraftOnly: _ = try await client.addTag(ReleaseLookup.draftOnlyTag, "its commit is not the version's tag", to: release.id)
    case .markVersion: _ = try await client.addTag(ReleaseLookup.draftVersionTag, description.version.version.text, to: release.id)
    case .markComplete: try await client.change(release.id, .ended(.success, at: .now))
    }
  }

  /// Reads every asset of a draft back: the server says of one no more than its size. What is not ours is attached again, once.
  func proveAssets(of release: CloudRelease, _ description: ReleaseDescription) async throws {
    guard !release.isFinal, !description.assets.isEmpty else { return }
    let there = Dictionary(try await client.assets(of: release.id).map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
    try await description.assets.concurrentMap(atOnce: Self.width) { try await prove($0, there[$0.key.text], of: release) }
  }

  private func prove(_ asset: Publication.Asset, _ there: CloudAsset?, of release: CloudRelease) async throws {
    do {
      if let there { return try await client.check(there, expecting: asset.blob) }
    } catch HTTPError.mismatch {
      report(.notice("asset \(asset.key) of release \(release.id) is not what was attached; it is attached again"))
    }
    try await put(asset, to: release)
    guard let again = try await client.assets(of: release.id).first(where: { $0.key == asset.key.text }) else {
      throw PublishingError.notFound(what: "asset \(asset.key) of release \(release.id)", available: [])
    }
    try await client.check(again, expecting: asset.blob)
  }

  private func put(_ asset: Publication.Asset, to release: CloudRelease) async throws {
    try await client.putAsset(
      asset.key.text, file: blobs.path(asset.blob.digest), size: asset.blob.size, filename: asset.key.lastComponent,
      contentType: ContentType.of(asset.key), release: release.id)
  }

  /// Tags the release with our commit and makes it final; see ``ReleaseFinalizer``.
  func finalize(
    _ description: ReleaseDescription, isAlone: Bool, _ tags: [String: String], in application: CloudApplication
  ) async throws -> CloudRelease {
    guard let release = try await current(description, application) else {
      throw PublishingError.notFound(what: "release of \(application.slug) with commit \(description.commit)", available: [])
    }
    return try await ReleaseFinalizer(client: client, report: report).finalize(
      release, as: description.version, isAlone: isAlone, tags, in: application)
  }
}

extension ExchangeFailure {
  /// A refusal that another coordinator may have caused: the row is gone, there already, or the release complete already.
  fileprivate var wasOvertaken: Bool {
    if case .vanished? = self as? BalenaError { true } else { [400, 401, 404, 409].contains(status ?? 0) }
  }
}
