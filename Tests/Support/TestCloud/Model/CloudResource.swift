/// One resource of the API: its fields, and what must be true of each row.
package struct CloudResource: Sendable {
  package enum Deletion: Sendable { case cascade, clear }

  package enum Kind: Sendable {
    /// At most so many characters.
    case text(Int)
    case integer, boolean, date
    /// Any JSON whose text has at most so many characters.
    case json(Int)
    /// A whole number of any size, told as a string of digits from v7 on.
    case digits
    /// The id of a row there. The names are those by which that resource's rows reach these.
    case reference(String, reverse: [String], whenDeleted: Deletion)
    /// A file: set by multipart or by a committed upload only.
    case asset
  }

  package enum Access: Sendable {
    case writable
    /// Only a session of an administrator changes it.
    case adminOnly
    /// Made by the server; a sent value is ignored.
    case computed
  }

  package struct Field: Sendable {
    package let name: String
    package let kind: Kind
    package var isRequired = false
    package var access = Access.writable
    package var initial = JSONValue.null
    /// The closed list of values, when there is one.
    package var choices: [String] = []
  }

  package let name: String
  /// Other names in URLs.
  package var aliases: [String] = []
  package let fields: [Field]
  /// Sets of fields, each set unique.
  package var uniqueKeys: [[String]] = []
  /// Other spellings of a field's name in filters.
  package var fieldAliases: [String: String] = [:]
  /// Whether clients may change its rows at all.
  package var isReadOnly = false

  package func field(_ name: String) -> Field? {
    let real = fieldAliases[name] ?? name
    return fields.first { $0.name == real }
  }
}

extension CloudResource.Field {
  static func text(_ name: String, limit: Int = 255, choices: [String] = []) -> Self {
    Self(name: name, kind: .text(limit), choices: choices)
  }
  static func integer(_ name: String) -> Self { Self(name: name, kind: .integer) }
  static func boolean(_ name: String, initially initial: Bool = false) -> Self { Self(name: name, kind: .boolean, initial: .bool(initial)) }
  static func date(_ name: String) -> Self { Self(name: name, kind: .date) }
  static func json(_ name: String, limit: Int = 1_000_000) -> Self { Self(name: name, kind: .json(limit)) }
  static func reference(_ name: String, to resource: String, _ reverse: String..., whenDeleted: CloudResource.Deletion = .cascade) -> Self {
    Self(name: name, kind: .reference(resource, reverse: reverse, whenDeleted: whenDeleted))
  }

  func required() -> Self { with { $0.isRequired = true } }
  func computed() -> Self { with { $0.access = .computed } }
  func adminOnly() -> Self { with { $0.access = .adminOnly } }
  func initially(_ value: JSONValue) -> Self { with { $0.initial = value } }

  private func with(_ change: (inout Self) -> Void) -> Self {
    var copy = self
    change(&copy)
    return copy
  }

  var referenced: String? { if case .reference(let resource, _, _) = kind { resource } else { nil } }
}
