import HTTP

/// Which fields and linked rows are asked for.
package struct ODataShape<Table: ODataTable>: Sendable {
  private var fields: [String] = []
  private var expansions: [String] = []

  package init() {}

  package func selecting<each Value>(_ field: repeat ODataField<Table, each Value>) -> Self {
    var copy = self
    for one in repeat each field { copy.fields.append(one.name) }
    return copy
  }

  /// Asks for linked rows; they always come as a list.
  package func expanding<Target>(_ link: ODataLink<Table, Target>, _ shape: ODataShape<Target>, where condition: ODataFilter<Target>? = nil) -> Self {
    var copy = self
    let options = shape.options + (condition.map { ["$filter=" + $0.text] } ?? [])
    copy.expansions.append(link.name + "(" + options.joined(separator: ";") + ")")
    return copy
  }

  var options: [String] {
    (fields.isEmpty ? [] : ["$select=" + fields.joined(separator: ",")])
      + (expansions.isEmpty ? [] : ["$expand=" + expansions.joined(separator: ",")])
  }
}

/// A value that is read from rows of one resource, with the query that gives exactly what it decodes.
package protocol ODataProjection: Decodable, Sendable {
  associatedtype Table: ODataTable
  static var shape: ODataShape<Table> { get }
}

/// The address of one row or of all that meet a condition.
package enum ODataTarget<Table: ODataTable>: Sendable {
  case row(RowID<Table>)
  case matching(ODataFilter<Table>)

  /// Below the version, for example `release(7)?$select=id`.
  func path(_ options: [String]) -> String {
    switch self {
    case .row(let id):
      let query = options.isEmpty ? "" : "?" + options.joined(separator: "&")
      return "\(Table.path)(\(id.literal))\(query)"
    case .matching(let filter):
      return "\(Table.path)?" + (["$filter=" + filter.text] + options).joined(separator: "&")
    }
  }
}

/// An order of rows; the direction is always said, because the server's default is descending.
package struct ODataOrder<Table: ODataTable>: Sendable {
  let option: String
  package static func ascending<Value>(_ field: ODataField<Table, Value>) -> Self { Self(option: "$orderby=\(field.name)%20asc") }
}
