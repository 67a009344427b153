import FoundationEssentials

/// A value of a composition file, as JSON can hold it.
package enum CompositionValue: Hashable, Sendable {
  case null
  case flag(Bool)
  case integer(Int)
  case number(Double)
  case text(String)
  case list([CompositionValue])
  case map([String: CompositionValue])

  /// The member of a mapping; nil where there is none, or where this is no mapping.
  package subscript(_ key: String) -> CompositionValue? {
    get { if case .map(let map) = self { map[key] } else { nil } }
    set {
      guard case .map(var map) = self else { return }
      map[key] = newValue
      self = .map(map)
    }
  }
  package var text: String? { if case .text(let text) = self { text } else { nil } }
  package var map: [String: CompositionValue]? { if case .map(let map) = self { map } else { nil } }

  /// What kind of value it is, for messages.
  var kind: String {
    switch self {
    case .null: "null"
    case .flag: "true or false"
    case .integer, .number: "a number"
    case .text: "a text"
    case .list: "a list"
    case .map: "a mapping"
    }
  }

  /// This value with another one laid over it: mappings by key, lists by position (a longer tail of this one stays); else the other one, null too.
  package func merged(with overlay: CompositionValue) -> CompositionValue {
    switch (self, overlay) {
    case (.map(let base), .map(let over)): .map(base.merging(over) { $0.merged(with: $1) })
    case (.list(let base), .list(let over)):
      .list(zip(base, over).map { $0.merged(with: $1) } + (base.count > over.count ? base[over.count...] : over[base.count...]))
    default: overlay
    }
  }

  /// The value with every text replaced; the keys of mappings stay.
  func mapTexts(_ change: (String) -> String) -> CompositionValue {
    switch self {
    case .text(let text): .text(change(text))
    case .list(let list): .list(list.map { $0.mapTexts(change) })
    case .map(let map): .map(map.mapValues { $0.mapTexts(change) })
    default: self
    }
  }

  /// Whether some text or key in it satisfies a condition.
  func containsText(where condition: (String) -> Bool) -> Bool {
    switch self {
    case .text(let text): condition(text)
    case .list(let list): list.contains { $0.containsText(where: condition) }
    case .map(let map): map.contains { condition($0.key) || $0.value.containsText(where: condition) }
    default: false
    }
  }
}

extension CompositionValue: Codable {
  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let flag = try? container.decode(Bool.self) {
      self = .flag(flag)
    } else if let integer = try? container.decode(Int.self) {
      self = .integer(integer)
    } else if let number = try? container.decode(Double.self) {
      self = .number(number)
    } else if let text = try? container.decode(String.self) {
      self = .text(text)
    } else if let list = try? container.decode([CompositionValue].self) {
      self = .list(list)
    } else {
      self = .map(try container.decode([String: CompositionValue].self))
    }
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .null: try container.encodeNil()
    case .flag(let flag): try container.encode(flag)
    case .integer(let integer): try container.encode(integer)
    case .number(let number): try container.encode(number)
    case .text(let text): try container.encode(text)
    case .list(let list): try container.encode(list)
    case .map(let map): try container.encode(map)
    }
  }
}
