/// One row; `values` has every field of its resource but `id`.
package struct CloudRow: Hashable, Sendable {
  package let id: Int
  package var values: [String: JSONValue]

  package subscript(_ field: String) -> JSONValue { field == "id" ? .integer(id) : values[field] ?? .null }
  /// The id of the row that this field names.
  func reference(_ field: String) -> Int? { self[field].int }
}

/// All rows, as a value: a request works on a copy that replaces the original when all of it succeeded.
package struct CloudDatabase: Sendable {
  private struct Table {
    /// By ascending id.
    var rows: [CloudRow] = []
    var nextID = 1

    func index(of id: Int) -> Int? {
      var low = 0
      var high = rows.count
      while low < high {
        let middle = (low + high) / 2
        if rows[middle].id < id { low = middle + 1 } else { high = middle }
      }
      return low < rows.count && rows[low].id == id ? low : nil
    }
  }

  let model = CloudModel.balena
  private var tables: [String: Table] = [:]

  package func rows(_ resource: String) -> [CloudRow] { tables[resource]?.rows ?? [] }

  package func row(_ resource: String, _ id: Int) -> CloudRow? {
    guard let table = tables[resource], let index = table.index(of: id) else { return nil }
    return table.rows[index]
  }

  /// The first row with this value.
  package func first(_ resource: String, where field: String, is value: JSONValue) -> CloudRow? {
    rows(resource).first { $0[field] == value }
  }

  /// Fields that are not given get their initial value.
  @discardableResult
  mutating func insert(_ resource: String, _ values: [String: JSONValue], id: Int? = nil) throws(CloudRefusal) -> CloudRow {
    var complete: [String: JSONValue] = [:]
    for field in model[resource].fields { complete[field.name] = values[field.name] ?? field.initial }
    var table = tables[resource] ?? Table()
    let row = CloudRow(id: id ?? table.nextID, values: complete)
    try check(row, of: resource)
    table.nextID = max(table.nextID, row.id + 1)
    let place = table.rows.firstIndex { $0.id > row.id } ?? table.rows.count
    table.rows.insert(row, at: place)
    tables[resource] = table
    return row
  }

  mutating func update(_ resource: String, _ row: CloudRow) throws(CloudRefusal) {
    guard let index = tables[resource]?.index(of: row.id) else { throw .broken }
    try check(row, of: resource)
    tables[resource]?.rows[index] = row
  }

  /// Rows that name this one go with it, or forget it. Calls `willDelete` for each that goes.
  mutating func delete(_ resource: String, _ id: Int, willDelete: (String, CloudRow) -> Void = { _, _ in }) throws(CloudRefusal) {
    guard let index = tables[resource]?.index(of: id), let row = row(resource, id) else { return }
    willDelete(resource, row)
    tables[resource]?.rows.remove(at: index)
    for reference in model.references(to: resource) {
      let name = reference.resource.name
      for other in rows(name) where other.reference(reference.field.name) == id {
        switch reference.whenDeleted {
        case .cascade:
          try delete(name, other.id, willDelete: willDelete)
        case .clear:
          guard var changed = self.row(name, other.id) else { continue }
          changed.values[reference.field.name] = .null
          try update(name, changed)
        }
      }
    }
  }

  private func check(_ row: CloudRow, of resource: String) throws(CloudRefusal) {
    let definition = model[resource]
    for key in definition.uniqueKeys {
      let values = key.map { row[$0] }
      // As in SQL, nothing is the same as a null.
      guard !values.contains(.null) else { continue }
      if rows(resource).contains(where: { other in other.id != row.id && key.map { other[$0] } == values }) { throw .notUnique(key) }
    }
    for field in definition.fields {
      guard let target = field.referenced, let id = row.reference(field.name) else { continue }
      guard self.row(target, id) != nil else {
        throw CloudRefusal(status: 409, message: "\"\(resource)\" violates the foreign key \"\(field.name)\".")
      }
    }
  }
}
