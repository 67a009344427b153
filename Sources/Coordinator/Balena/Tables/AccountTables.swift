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

/// A row of which only the id is asked for.
package struct RowIdentity<Table: ODataTable>: ODataProjection {
  package let id: RowID<Table>
  package static var shape: ODataShape<Table> { ODataShape().selecting(Table.id) }
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
