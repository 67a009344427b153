/// Tells rows as a version of the API tells them.
struct ODataProjection {
  let evaluator: ODataEvaluator
  let version: APIVersion
  /// Gives a stored asset its link.
  let presentAsset: (JSONValue) -> JSONValue

  /// Filtered, ordered and cut rows.
  func selected(_ rows: [CloudRow], of resource: CloudResource, _ options: ODataOptions) -> [CloudRow] {
    var found = rows
    if let filter = options.filter { found = found.filter { evaluator.matches(filter, (resource, $0)) } }
    if !options.orderBy.isEmpty {
      let keyed = found.map { row in (row: row, keys: options.orderBy.map { key($0, (resource, row)) }) }
      found = keyed.sorted { isBefore($0.keys, $1.keys, options.orderBy) }.map(\.row)
    }
    return Array(found.dropFirst(options.skip ?? 0).prefix(options.top ?? .max))
  }

  func told(_ row: CloudRow, of resource: CloudResource, _ options: ODataOptions) -> JSONValue {
    var object: [String: JSONValue] = [:]
    func wants(_ name: String) -> Bool { options.select?.contains(name) ?? true }
    if wants("id") { object["id"] = .integer(row.id) }
    for field in resource.fields where wants(field.name) {
      if case .asset = field.kind {
        object[field.name] = presentAsset(row[field.name])
      } else {
        object[field.name] = version.presented(row[field.name], of: field, in: resource)
      }
    }
    if version == .v6, resource.name == "release", options.select.map({ $0.contains("release_type") }) ?? true {
      object["release_type"] = row["is_final"] == true ? "final" : "draft"
    }
    for expansion in options.expand {
      let related = evaluator.related(expansion.name, (resource, row))
      guard let target = related.first?.resource else {
        object[expansion.name] = expansion.isCount ? 0 : []
        continue
      }
      let rows = selected(related.map(\.row), of: target, expansion.options)
      object[expansion.name] = expansion.isCount ? .integer(rows.count) : .array(rows.map { told($0, of: target, expansion.options) })
    }
    return .object(object)
  }

  private func key(_ order: ODataOptions.Order, _ place: ODataEvaluator.Place) -> JSONValue {
    evaluator.values(order.isCount ? .count(order.path, filter: nil) : .path(order.path), place).first ?? .null
  }

  /// Nulls are the greatest, as in PostgreSQL.
  private func isBefore(_ a: [JSONValue], _ b: [JSONValue], _ orders: [ODataOptions.Order]) -> Bool {
    for (index, order) in orders.enumerated() {
      let compared: Int
      switch (a[index].isNull, b[index].isNull) {
      case (true, true): compared = 0
      case (true, false): compared = 1
      case (false, true): compared = -1
      case (false, false): compared = ODataEvaluator.order(a[index], b[index]) ?? 0
      }
      if compared != 0 { return order.isAscending == (compared < 0) }
    }
    return false
  }
}
