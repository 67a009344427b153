/// Resources about who may do what.
package enum UserTable: ODataTable { package static let path = "user" }

package enum OrganizationTable: ODataTable {
  package static let path = "organization"
  package static let handle = ODataField<Self, String>("handle")
}

package enum TeamTable: ODataTable {
  package static let path = "team"
  package static let name = ODataField<Self, String>("name")
  package static let organization = ODataLink<Self, OrganizationTable>("belongs_to__organization")
}

package enum RoleTable: ODataTable {
  package static let path = "application_membership_role"
  package static let name = ODataField<Self, String>("name")
}

package enum TeamAccessTable: ODataTable {
  package static let path = "team_application_access"
  package static let team = ODataLink<Self, TeamTable>("team")
  package static let application = ODataLink<Self, ApplicationTable>("grants_access_to__application")
}

package enum DeviceTypeTable: ODataTable {
  package static let path = "device_type"
  package static let slug = ODataField<Self, String>("slug")
  /// On balenaCloud only; the open server has no such field.
  package static let isPrivate = ODataField<Self, Bool>("is_private")
  package static let aliases = ODataLink<Self, DeviceTypeAliasTable>("device_type_alias")
}

package enum DeviceTypeAliasTable: ODataTable {
  package static let path = "device_type_alias"
  package static let alias = ODataField<Self, String>("is_referenced_by__alias")
}

/// A row of which only the id is asked for.
package struct RowIdentity<Table: ODataTable>: ODataProjection {
  package let id: RowID<Table>
  package static var shape: ODataShape<Table> { ODataShape().selecting(Table.id) }
}

/// A device type as the cloud knows it.
package struct CloudDeviceType: ODataProjection, Hashable {
  package let id: RowID<DeviceTypeTable>
  package let slug: String
  package static let shape = ODataShape<DeviceTypeTable>().selecting(DeviceTypeTable.id, DeviceTypeTable.slug)
}

/// Whether a device type is private; asked for apart, because not every server has the field.
struct DeviceTypePrivacy: ODataProjection {
  let isPrivate: Bool?
  static let shape = ODataShape<DeviceTypeTable>().selecting(DeviceTypeTable.isPrivate)
  private enum CodingKeys: String, CodingKey { case isPrivate = "is_private" }
}

/// Whose credential it is: the answer of `/actor/v1/whoami`.
package struct CloudActor: Decodable, Hashable, Sendable {
  package enum Kind: String, Decodable, Hashable, Sendable { case user, application, device }
  package let id: Int64
  package let kind: Kind
  /// The user's (application's, device's) own id.
  package let ownID: Int64
  package let username: String?

  private enum CodingKeys: String, CodingKey {
    case id, username
    case kind = "actorType"
    case ownID = "actorTypeId"
  }
}
