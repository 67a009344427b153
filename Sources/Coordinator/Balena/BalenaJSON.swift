import FoundationEssentials

/// Any JSON value: compositions and contracts are passed through without knowing all of their keys.
package enum BalenaJSON: Hashable, Sendable {
  case null
  case flag(Bool)
  case integer(Int64)
  case number(Double)
  case text(String)
  case list([BalenaJSON])
  case object([String: BalenaJSON])

  package var object: [String: BalenaJSON]? { if case .object(let value) = self { value } else { nil } }
  package var list: [BalenaJSON]? { if case .list(let value) = self { value } else { nil } }
  package var text: String? { if case .text(let value) = self { value } else { nil } }

  /// A member of an object; nil for everything else.
  package subscript(key: String) -> BalenaJSON? { object?[key] }

  /// A scalar as the text of a label; nil for null, lists and objects.
  package var labelText: String? {
    switch self {
    case .flag(let value): value ? "true" : "false"
    case .integer(let value): String(value)
    case .number(let value): String(value)
    case .text(let value): value
    case .null, .list, .object: nil
    }
  }
}

extension BalenaJSON: Codable {
  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let value = try? container.decode(Bool.self) {
      self = .flag(value)
    } else if let value = try? container.decode(Int64.self) {
      self = .integer(value)
    } else if let value = try? container.decode(Double.self) {
      self = .number(value)
    } else if let value = try? container.decode(String.self) {
      self = .text(value)
    } else if let value = try? container.decode([BalenaJSON].self) {
      self = .list(value)
    } else {
      self = .object(try container.decode([String: BalenaJSON].self))
    }
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .null: try container.encodeNil()
    case .flag(let value): try container.encode(value)
    case .integer(let value): try container.encode(value)
    case .number(let value): try container.encode(value)
    case .text(let value): try container.encode(value)
    case .list(let value): try container.encode(value)
    case .object(let value): try container.encode(value)
    }
  }
}

extension BalenaJSON: ExpressibleByStringLiteral, ExpressibleByDictionaryLiteral, ExpressibleByArrayLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByBooleanLiteral
{
  package init(stringLiteral value: String) { self = .text(value) }
  package init(integerLiteral value: Int64) { self = .integer(value) }
  package init(booleanLiteral value: Bool) { self = .flag(value) }
  package init(arrayLiteral elements: BalenaJSON...) { self = .list(elements) }
  package init(dictionaryLiteral elements: (String, BalenaJSON)...) {
    self = .object(Dictionary(elements, uniquingKeysWith: { $1 }))
  }
}
