/// The first part of an API path: one model, told in three ways.
package enum APIVersion: String, Hashable, Sendable, CaseIterable {
  case v6, v7, resin

  /// v6 answers successful changes with the JSON string `OK`; the others with nothing.
  var changeReply: String { self == .v6 ? "\"OK\"" : "" }

  /// How a field's stored value is written.
  func presented(_ value: JSONValue, of field: CloudResource.Field, in resource: CloudResource) -> JSONValue {
    if value.isNull { return .null }
    switch field.kind {
    case .reference:
      if self == .v6, field.name == "actor" { return value }
      return ["__id": value]
    case .json where self == .v6 && field.name == "contract": return .string(value.text)
    case .digits where self == .v6: return value.string.flatMap(Double.init).map { .number($0) } ?? .null
    default: return value
    }
  }
}
