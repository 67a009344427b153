import BuildModel
import FoundationEssentials

extension BalenaClient {
  // MARK: Finding

  package func release(_ id: RowID<ReleaseTable>) async throws -> CloudRelease? { try await row(id) }

  /// The application's releases of that commit, the oldest first. The commit must be complete.
  package func releases(commit: String, of application: RowID<ApplicationTable>) async throws -> [CloudRelease] {
    try await rows(
      where: ReleaseTable.commit == commit && ReleaseTable.application == application, order: .ascending(ReleaseTable.id))
  }

  /// The application's releases whose tag has that value, the oldest first.
  package func releases(tag: String, value: String, of application: RowID<ApplicationTable>) async throws -> [CloudRelease] {
    try await rows(
      where: ReleaseTable.application == application
        && ReleaseTable.tags.any(ReleaseTagTable.key == tag && ReleaseTagTable.value == value), order: .ascending(ReleaseTable.id))
  }

  /// The application's release that the server itself calls so, for example `1.2.3+rev1`.
  package func releases(rawVersion: String, of application: RowID<ApplicationTable>) async throws -> [CloudRelease] {
    try await rows(
      where: ReleaseTable.rawVersion == rawVersion && ReleaseTable.application == application, order: .ascending(ReleaseTable.id))
  }

  /// The release with that id, if it is the application's.
  package func releases(id: RowID<ReleaseTable>, of application: RowID<ApplicationTable>) async throws -> [CloudRelease] {
    try await rows(where: ReleaseTable.id == id && ReleaseTable.application == application)
  }

  /// All releases of the same `M.m.p` and prerelease, drafts too, the oldest first.
  package func releases(version: OSVersion, of application: RowID<ApplicationTable>) async throws -> [CloudRelease] {
    let number = ReleaseTable.major == version.major && ReleaseTable.minor == version.minor && ReleaseTable.patch == version.patch
    return try await rows(
      where: ReleaseTable.application == application && number && ReleaseTable.prerelease == version.prereleaseText,
      order: .ascending(ReleaseTable.id))
  }

  /// Revision of a final release; nil in a draft.
  private struct Revision: ODataProjection {
    let revision: Int?
    static let shape = ODataShape<ReleaseTable>().selecting(ReleaseTable.revision)
  }

  /// The revisions of all final releases of the same `M.m.p`, prerelease and empty variant: failed and invalidated ones count too.
  package func revisions(of version: OSVersion, in application: RowID<ApplicationTable>) async throws -> [Int] {
    let number = ReleaseTable.major == version.major && ReleaseTable.minor == version.minor && ReleaseTable.patch == version.patch
    let rest = ReleaseTable.prerelease == version.prereleaseText && ReleaseTable.variant == "" && ReleaseTable.isFinal == true
    return try await rows(Revision.self, where: ReleaseTable.application == application && number && rest).compactMap(\.revision)
  }

  // MARK: Making

  private struct NewRelease: Encodable {
    let belongs_to__application: RowID<ApplicationTable>
    let is_created_by__user: RowID<UserTable>?
    let commit: String
    let composition: BalenaJSON
    let contract: BalenaJSON?
    let semver: String?
    let status = BuildStatus.running
    let source = "local"
    let start_timestamp: Timestamp
    /// Without it the server makes a final release.
    let is_final = false
  }

  /// Makes a draft that is still under way, or finds the oldest one of that commit.
  package func createRelease(
    of application: RowID<ApplicationTable>, by user: RowID<UserTable>?, commit: String, composition: BalenaJSON, contract: BalenaJSON?,
    semver: String?, start: Timestamp
  ) async throws -> CloudRelease {
    try await create(
      NewRelease(
        belongs_to__application: application, is_created_by__user: user, commit: commit, composition: composition, contract: contract,
        semver: semver, start_timestamp: start),
      unique: (ReleaseTable.commit == commit && ReleaseTable.application == application)
        && (ReleaseTable.status == BuildStatus.running.rawValue || ReleaseTable.status == BuildStatus.success.rawValue))
  }

  /// Fields of a release that a publication changes. Whether they were written must be read back.
  package enum ReleaseChange: Encodable, Sendable {
    case ended(BuildStatus, at: Timestamp)
    case final
    case semver(String)
    case invalidated(reason: String)
    case note(String)

    private enum CodingKeys: String, CodingKey { case status, end_timestamp, is_final, semver, is_invalidated, invalidation_reason, note }
    package func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      switch self {
      case .ended(let status, let time):
        try container.encode(status, forKey: .status)
        try container.encode(time, forKey: .end_timestamp)
      case .final: try container.encode(true, forKey: .is_final)
      case .semver(let value): try container.encode(value, forKey: .semver)
      case .invalidated(let reason):
        try container.encode(true, forKey: .is_invalidated)
        try container.encode(reason, forKey: .invalidation_reason)
      case .note(let text): try container.encode(text, forKey: .note)
      }
    }
  }

  package func change(_ id: RowID<ReleaseTable>, _ change: ReleaseChange) async throws { try await update(id, change) }

  /// Changes a release unless somebody has made it final: a final release would get another name.
  package func changeDraft(_ id: RowID<ReleaseTable>, _ change: ReleaseChange) async throws {
    try await update(id, while: ReleaseTable.isFinal == false, change)
  }

  /// Removes a release with everything in it. The server refuses it for one that devices run.
  package func remove(release id: RowID<ReleaseTable>) async throws { try await delete(id) }

  private struct NewReleaseTag: Encodable {
    let release: RowID<ReleaseTable>
    let tag_key: String
    let value: String
  }
  private struct ReleaseTagRow: ODataProjection {
    let tag: CloudTag<ReleaseTagTable>
    static var shape: ODataShape<ReleaseTagTable> { CloudTag<ReleaseTagTable>.fields }
    init(from decoder: any Decoder) throws { tag = try CloudTag(from: decoder) }
  }

  /// Gives the release a tag that it does not have; returns the value that is there afterwards, which may be somebody else's.
  package func addTag(_ key: String, _ value: String, to release: RowID<ReleaseTable>) async throws -> String {
    let found: ReleaseTagRow = try await create(
      NewReleaseTag(release: release, tag_key: key, value: value),
      unique: ReleaseTagTable.release == release && ReleaseTagTable.key == key)
    return found.tag.value
  }

  // MARK: Images

  private struct NewImage: Encodable {
    let is_a_build_of__service: RowID<ServiceTable>
    let status = BuildStatus.running
    let start_timestamp: Timestamp
  }
  private struct NewReleaseImage: Encodable {
    let is_part_of__release: RowID<ReleaseTable>
    let image: RowID<ImageTable>
  }

  /// Makes an image row of a service and ties it to the release. A row that is made twice stays untied and is seen by nobody.
  package func addImage(of service: RowID<ServiceTable>, to release: RowID<ReleaseTable>, start: Timestamp) async throws {
    let image = try await create(ImageTable.self, NewImage(is_a_build_of__service: service, start_timestamp: start))
    let _: RowIdentity<ReleaseImageTable> = try await create(
      NewReleaseImage(is_part_of__release: release, image: image),
      unique: ReleaseImageTable.image == image && ReleaseImageTable.release == release)
  }

  /// Unties an image from its release.
  package func remove(_ releaseImage: RowID<ReleaseImageTable>) async throws { try await delete(releaseImage) }

  private struct NewLabel: Encodable {
    let release_image: RowID<ReleaseImageTable>
    let label_name: String
    let value: String
  }

  package func addLabel(_ name: String, _ value: String, to releaseImage: RowID<ReleaseImageTable>) async throws {
    let _: RowIdentity<ImageLabelTable> = try await create(
      NewLabel(release_image: releaseImage, label_name: name, value: value),
      unique: ImageLabelTable.releaseImage == releaseImage && ImageLabelTable.name == name)
  }

  private struct PushedImage: Encodable {
    let status = BuildStatus.success
    let content_hash: Digest
    /// Version 7 takes and gives the size as digits.
    let image_size: String
    let push_timestamp: Timestamp
    let end_timestamp: Timestamp
  }

  /// Notes that the image's manifest is in the registry. `size` counts uncompressed bytes.
  package func markPushed(_ image: RowID<ImageTable>, manifest: Digest, size: Int64, at time: Timestamp) async throws {
    try await update(image, PushedImage(content_hash: manifest, image_size: String(size), push_timestamp: time, end_timestamp: time))
  }
}

extension OSVersion {
  /// The prerelease as the server keeps it: identifiers joined with dots, empty for none.
  package var prereleaseText: String {
    prerelease.map { identifier in
      switch identifier {
      case .number(let number): String(number)
      case .text(let text): text
      }
    }.joined(separator: ".")
  }
}
