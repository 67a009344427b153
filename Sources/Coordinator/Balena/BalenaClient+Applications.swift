import BuildModel

extension BalenaClient {
  /// The application of that slug (organization and name, lower case); nil where it is not there or not visible.
  package func application(slug: String) async throws -> CloudApplication? {
    try await rows(CloudApplication.self, where: ApplicationTable.slug == slug).first
  }

  /// All applications whose slug is one of these.
  package func applications(slugs: [String]) async throws -> [CloudApplication] {
    guard let first = slugs.first else { return [] }
    let condition = slugs.dropFirst().reduce(ApplicationTable.slug == first) { $0 || ApplicationTable.slug == $1 }
    return try await rows(where: condition)
  }

  package func organization(handle: String) async throws -> RowID<OrganizationTable>? {
    try await rows(RowIdentity<OrganizationTable>.self, where: OrganizationTable.handle == handle).first?.id
  }

  /// The device type by its slug or an alias of it.
  package func deviceType(_ alias: String) async throws -> CloudDeviceType? {
    try await rows(
      CloudDeviceType.self, where: DeviceTypeTable.aliases.any(DeviceTypeAliasTable.alias == alias), order: .ascending(DeviceTypeTable.id), top: 1
    ).first
  }

  /// Whether the device type is private; nil where the server does not say.
  package func isPrivate(_ id: RowID<DeviceTypeTable>) async throws -> Bool? {
    try await probe(id, as: DeviceTypePrivacy.self).row?.isPrivate
  }

  private struct NewApplication: Encodable {
    let app_name: String
    let organization: RowID<OrganizationTable>
    let is_for__device_type: RowID<DeviceTypeTable>
    let is_of__class: String
  }

  /// Makes the application or finds the one of that slug.
  package func createApplication(
    slug: String, name: String, organization: RowID<OrganizationTable>, deviceType: RowID<DeviceTypeTable>, applicationClass: String
  ) async throws -> CloudApplication {
    try await create(
      NewApplication(app_name: name, organization: organization, is_for__device_type: deviceType, is_of__class: applicationClass),
      unique: ApplicationTable.slug == slug)
  }

  /// One field of an application. Whether it was written must be read back.
  package enum ApplicationChange: Encodable, Sendable {
    case isPublic(Bool)
    case repositoryURL(String)
    case applicationClass(String)
    case isHost(Bool)

    private enum CodingKeys: String, CodingKey { case is_public, is_stored_at__repository_url, is_of__class, is_host }
    package func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      switch self {
      case .isPublic(let value): try container.encode(value, forKey: .is_public)
      case .repositoryURL(let value): try container.encode(value, forKey: .is_stored_at__repository_url)
      case .applicationClass(let value): try container.encode(value, forKey: .is_of__class)
      case .isHost(let value): try container.encode(value, forKey: .is_host)
      }
    }

    /// The public type of version 7 cannot write the host flag.
    fileprivate var version: Version { if case .isHost = self { .v6 } else { .v7 } }
  }

  package func change(_ id: RowID<ApplicationTable>, _ change: ApplicationChange) async throws {
    try await update(id, change, version: change.version)
  }

  /// Where the application says its source is; `isKnown` is false on a server that has no such field.
  package func repositoryURL(of id: RowID<ApplicationTable>) async throws -> (url: String?, isKnown: Bool) {
    let (row, isKnown) = try await probe(id, as: ApplicationRepository.self)
    return (row?.url, isKnown)
  }

  // MARK: Teams

  package func team(_ name: String, organization: String) async throws -> RowID<TeamTable>? {
    try await rows(
      RowIdentity<TeamTable>.self, where: TeamTable.name == name && TeamTable.organization.any(OrganizationTable.handle == organization)
    ).first?.id
  }

  package func role(_ name: String) async throws -> RowID<RoleTable>? {
    try await rows(RowIdentity<RoleTable>.self, where: RoleTable.name == name).first?.id
  }

  private struct NewAccess: Encodable {
    let team: RowID<TeamTable>
    let grants_access_to__application: RowID<ApplicationTable>
    let application_membership_role: RowID<RoleTable>
  }

  /// Whether the team has a role in the application, whichever.
  package func hasAccess(_ team: RowID<TeamTable>, to application: RowID<ApplicationTable>) async throws -> Bool {
    try await !rows(RowIdentity<TeamAccessTable>.self, where: TeamAccessTable.team == team && TeamAccessTable.application == application).isEmpty
  }

  package func grant(_ team: RowID<TeamTable>, _ role: RowID<RoleTable>, in application: RowID<ApplicationTable>) async throws {
    let _: RowIdentity<TeamAccessTable> = try await create(
      NewAccess(team: team, grants_access_to__application: application, application_membership_role: role),
      unique: TeamAccessTable.team == team && TeamAccessTable.application == application)
  }

  // MARK: Tags and services

  private struct NewApplicationTag: Encodable {
    let application: RowID<ApplicationTable>
    let tag_key: String
    let value: String
  }
  private struct TagValue: Encodable { let value: String }
  private struct ApplicationTag: ODataProjection {
    let tag: CloudTag<ApplicationTagTable>
    static var shape: ODataShape<ApplicationTagTable> { CloudTag<ApplicationTagTable>.fields }
    init(from decoder: any Decoder) throws { tag = try CloudTag(from: decoder) }
  }

  /// Gives the application's tag this value; returns the value that is there afterwards.
  package func setTag(_ key: String, to value: String, of application: RowID<ApplicationTable>) async throws -> String? {
    let unique = ApplicationTagTable.application == application && ApplicationTagTable.key == key
    let found: ApplicationTag = try await create(NewApplicationTag(application: application, tag_key: key, value: value), unique: unique)
    if found.tag.value == value { return value }
    try await update(found.tag.id, TagValue(value: value))
    return try await rows(ApplicationTag.self, where: unique).first?.tag.value
  }

  private struct NewService: Encodable {
    let application: RowID<ApplicationTable>
    let service_name: String
  }

  /// Makes the application's service or finds it.
  package func service(_ name: String, of application: RowID<ApplicationTable>) async throws -> RowID<ServiceTable> {
    let unique = ServiceTable.application == application && ServiceTable.name == name
    if let found = try await rows(RowIdentity<ServiceTable>.self, where: unique).first { return found.id }
    let made: RowIdentity<ServiceTable> = try await create(NewService(application: application, service_name: name), unique: unique)
    return made.id
  }
}
