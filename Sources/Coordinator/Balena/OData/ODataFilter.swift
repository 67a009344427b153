import HTTP

/// A condition on the rows of one resource. Made by the operators below only, so that it is always well-formed and escaped.
package struct ODataFilter<Table: ODataTable>: Sendable {
  /// Gives the text for a prefix that names the row: empty, or a lambda's variable and `/`. `depth` numbers the variables.
  let render: @Sendable (_ prefix: String, _ depth: Int) -> String

  /// Every part is put in parentheses: the server gives `and` and `or` the same precedence.
  package static func && (a: Self, b: Self) -> Self { joined("and", a, b) }
  package static func || (a: Self, b: Self) -> Self { joined("or", a, b) }

  private static func joined(_ word: String, _ a: Self, _ b: Self) -> Self {
    Self { prefix, depth in "(\(a.render(prefix, depth)))%20\(word)%20(\(b.render(prefix, depth)))" }
  }

  var text: String { render("", 0) }
}

extension ODataField where Value: ODataValue {
  package static func == (field: Self, value: Value) -> ODataFilter<Table> { field.compared("eq", value) }

  private func compared(_ operation: String, _ value: Value) -> ODataFilter<Table> {
    ODataFilter { [name] prefix, _ in "\(prefix)\(name)%20\(operation)%20\(value.literal)" }
  }
}

extension ODataLink {
  package static func == (link: Self, id: RowID<Target>) -> ODataFilter<Table> {
    ODataFilter { [name = link.name] prefix, _ in "\(prefix)\(name)%20eq%20\(id.literal)" }
  }

  /// Rows for which a linked row meets the condition.
  package func any(_ condition: ODataFilter<Target>) -> ODataFilter<Table> {
    ODataFilter { [name] prefix, depth in
      let variable = "x\(depth)"
      return "\(prefix)\(name)/any(\(variable):\(condition.render(variable + "/", depth + 1)))"
    }
  }
}
