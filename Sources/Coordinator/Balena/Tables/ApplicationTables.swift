package enum ApplicationTable: ODataTable {
  package static let path = "application"
  package static let slug = ODataField<Self, String>("slug")
  package static let isPublic = ODataField<Self, Bool>("is_public")
  package static let isHost = ODataField<Self, Bool>("is_host")
  package static let applicationClass = ODataField<Self, String>("is_of__class")
  package static let repositoryURL = ODataField<Self, String>("is_stored_at__repository_url")
  package static let deviceType = ODataLink<Self, DeviceTypeTable>("is_for__device_type")
  package static let tags = ODataLink<Self, ApplicationTagTable>("application_tag")
}

package enum ApplicationTagTable: ODataTable {
  package static let path = "application_tag"
  package static let key = ODataField<Self, String>("tag_key")
  package static let application = ODataLink<Self, ApplicationTable>("application")
}

package enum ServiceTable: ODataTable {
  package static let path = "service"
  package static let name = ODataField<Self, String>("service_name")
  package static let application = ODataLink<Self, ApplicationTable>("application")
}

/// An application with what a publication sets on it.
package struct CloudApplication: ODataProjection, Hashable {
  package let id: RowID<ApplicationTable>
  package let slug: String
  package let isPublic: Bool
  package let isHost: Bool
  package let applicationClass: String
  package let deviceType: String?
  package let tags: [String: String]

  package static let shape = ODataShape<ApplicationTable>()
    .selecting(ApplicationTable.id, ApplicationTable.slug, ApplicationTable.isPublic, ApplicationTable.isHost, ApplicationTable.applicationClass)
    .expanding(ApplicationTable.deviceType, ODataShape().selecting(DeviceTypeTable.slug))
    .expanding(ApplicationTable.tags, CloudTag<ApplicationTagTable>.fields)

  private enum CodingKeys: String, CodingKey {
    case id, slug
    case isPublic = "is_public"
    case isHost = "is_host"
    case applicationClass = "is_of__class"
    case deviceType = "is_for__device_type"
    case tags = "application_tag"
  }
  private struct DeviceTypeRow: Decodable { let slug: String }

  package init(from decoder: any Decoder) throws {
    let row = try decoder.container(keyedBy: CodingKeys.self)
    id = try row.decode(RowID.self, forKey: .id)
    slug = try row.decode(String.self, forKey: .slug)
    isPublic = try row.decode(Bool.self, forKey: .isPublic)
    isHost = try row.decode(Bool.self, forKey: .isHost)
    applicationClass = try row.decode(String.self, forKey: .applicationClass)
    deviceType = try row.decode([DeviceTypeRow].self, forKey: .deviceType).first?.slug
    tags = Dictionary(try row.decode([CloudTag<ApplicationTagTable>].self, forKey: .tags).map { ($0.key, $0.value) }, uniquingKeysWith: { $1 })
  }
}

/// The repository URL of an application; asked for apart, because only balenaCloud has the field.
struct ApplicationRepository: ODataProjection {
  let url: String?
  static let shape = ODataShape<ApplicationTable>().selecting(ApplicationTable.repositoryURL)
  private enum CodingKeys: String, CodingKey { case url = "is_stored_at__repository_url" }
}

/// Key and value of an application's or release's tag.
package struct CloudTag<Table: ODataTable>: Decodable, Hashable, Sendable {
  package let id: RowID<Table>
  package let key: String
  package let value: String
  static var fields: ODataShape<Table> {
    ODataShape().selecting(Table.id, ODataField<Table, String>("tag_key"), ODataField<Table, String>("value"))
  }
  private enum CodingKeys: String, CodingKey {
    case id, value
    case key = "tag_key"
  }
}
