/// Reads the values of a body: types, limits and closed lists.
enum FieldValues {
  static func parse(_ value: JSONValue, as field: CloudResource.Field) throws(CloudRefusal) -> JSONValue {
    if value.isNull {
      if field.isRequired { throw .invalid("\"\(field.name)\" cannot be null.") }
      return .null
    }
    switch field.kind {
    case .text(let limit):
      let text: String
      switch value {
      case .string(let given): text = given
      case .integer(let number): text = String(number)
      default: throw wrong(field, "a text")
      }
      guard text.count <= limit else { throw .invalid("\"\(field.name)\" has \(text.count) characters, more than \(limit).") }
      guard field.choices.isEmpty || field.choices.contains(text) else {
        throw .invalid("It is necessary that \"\(field.name)\" is one of \(field.choices.map { "\"\($0)\"" }.joined(separator: ", ")).")
      }
      return .string(text)
    case .integer, .reference:
      if let number = value.int { return .integer(number) }
      if let number = value.string.flatMap({ Int($0) }) { return .integer(number) }
      throw wrong(field, "a whole number")
    case .boolean:
      switch value {
      case .bool: return value
      case .integer(0), "0": return false
      case .integer(1), "1": return true
      default: throw wrong(field, "a boolean")
      }
    case .date:
      if let number = value.int, number >= 0 { return .string(CloudDate(milliseconds: number).text) }
      if let date = value.string.flatMap({ CloudDate(text: $0) }) { return .string(date.text) }
      throw wrong(field, "a date")
    case .json(let limit):
      guard value.object != nil || value.array != nil else { throw wrong(field, "a JSON object") }
      guard value.text.count <= limit else { throw .invalid("\"\(field.name)\" has more than \(limit) characters.") }
      return value
    case .digits:
      if let number = value.int, number >= 0 { return .string(String(number)) }
      if let text = value.string, !text.isEmpty, text.utf8.count <= 40, text.utf8.allSatisfy({ (48...57).contains($0) }) { return value }
      throw wrong(field, "a whole number")
    case .asset:
      throw .invalid("Use multipart/form-data to set \"\(field.name)\".")
    }
  }

  private static func wrong(_ field: CloudResource.Field, _ expected: String) -> CloudRefusal {
    .invalid("\"\(field.name)\" must be \(expected).")
  }
}
