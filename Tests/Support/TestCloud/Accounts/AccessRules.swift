/// Which rows somebody may see and change: all hang below an application, an organization or nothing.
struct AccessRules {
  let principal: Principal
  let database: CloudDatabase

  /// The field through which a row belongs to something else.
  private static let owners: [String: (field: String, resource: String)] = [
    "application_tag": ("application", "application"), "service": ("application", "application"),
    "release": ("belongs_to__application", "application"), "release_tag": ("release", "release"), "release_asset": ("release", "release"),
    "image": ("is_a_build_of__service", "service"), "image__is_part_of__release": ("is_part_of__release", "release"),
    "image_label": ("release_image", "image__is_part_of__release"),
    "image_environment_variable": ("release_image", "image__is_part_of__release"),
    "team_application_access": ("grants_access_to__application", "application"),
  ]

  private func application(of row: CloudRow, in resource: String) -> CloudRow? {
    if resource == "application" { return row }
    guard let owner = Self.owners[resource], let id = row.reference(owner.field), let next = database.row(owner.resource, id) else { return nil }
    return application(of: next, in: owner.resource)
  }

  private func isMember(of organization: JSONValue) -> Bool {
    guard let id = organization.int else { return false }
    return principal.user?.organizations.contains(id) ?? false
  }

  func canRead(_ resource: CloudResource, _ row: CloudRow) -> Bool {
    switch resource.name {
    case "device_type", "device_type_alias", "cpu_architecture", "application_type", "application_membership_role", "actor": return true
    case "organization":
      let hasPublic = database.rows("application").contains { $0.reference("organization") == row.id && $0["is_public"] == true }
      return isMember(of: .integer(row.id)) || hasPublic
    case "team": return isMember(of: row["belongs_to__organization"])
    case "organization_membership": return isMember(of: row["is_member_of__organization"])
    case "user":
      if principal.user?.id == row.id { return true }
      return database.rows("organization_membership").contains { $0.reference("user") == row.id && isMember(of: $0["is_member_of__organization"]) }
    case "team_application_access": return canWrite(resource, row)
    default:
      guard let application = application(of: row, in: resource.name) else { return false }
      return application["is_public"] == true || isMember(of: application["organization"])
    }
  }

  func canWrite(_ resource: CloudResource, _ row: CloudRow) -> Bool {
    guard !resource.isReadOnly, let application = application(of: row, in: resource.name) else { return false }
    return isMember(of: application["organization"])
  }
}
