import FoundationEssentials
import HTTP

/// A resource of the API: the type that its fields, links and ids belong to, so that none of them is used with another resource.
package protocol ODataTable: Sendable {
  /// Its name in URLs.
  static var path: String { get }
}

extension ODataTable {
  package static var id: ODataField<Self, RowID<Self>> { ODataField("id") }
}

/// The id of a row.
package struct RowID<Table: ODataTable>: Hashable, Sendable, Comparable, CustomStringConvertible {
  package let number: Int64
  package init(_ number: Int64) { self.number = number }
  package var description: String { String(number) }
  package static func < (a: Self, b: Self) -> Bool { a.number < b.number }
}

extension RowID: Codable {
  /// Takes a number, and a link's `{"__id": number}`.
  package init(from decoder: any Decoder) throws {
    if let container = try? decoder.singleValueContainer(), let number = try? container.decode(Int64.self) {
      self.init(number)
    } else {
      let container = try decoder.container(keyedBy: LinkKey.self)
      self.init(try container.decode(Int64.self, forKey: .id))
    }
  }
  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(number)
  }
  private enum LinkKey: String, CodingKey { case id = "__id" }
}

/// A field of a resource, with the type of its values.
package struct ODataField<Table: ODataTable, Value: Sendable>: Sendable {
  let name: String
  package init(_ name: String) { self.name = name }
}

/// What leads from the rows of one resource to those of another: a foreign key or its reverse.
package struct ODataLink<Table: ODataTable, Target: ODataTable>: Sendable {
  let name: String
  package init(_ name: String) { self.name = name }
}

/// A value that can stand in a filter or key.
package protocol ODataValue: Sendable {
  /// Percent-encoded, ready for a URL.
  var literal: String { get }
}

extension String: ODataValue {
  /// Single quotes are doubled (OData URL conventions, section 5.1.1.6); everything but unreserved characters is encoded.
  package var literal: String {
    "'" + split(separator: "'", omittingEmptySubsequences: false).map { HTTPURL.encode(String($0)) }.joined(separator: "''") + "'"
  }
}
extension Int: ODataValue { package var literal: String { String(self) } }
extension Bool: ODataValue { package var literal: String { self ? "true" : "false" } }
extension RowID: ODataValue { package var literal: String { String(number) } }
