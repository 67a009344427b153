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
