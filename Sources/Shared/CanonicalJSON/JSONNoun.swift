/// What the JSON forms are called in a message.
enum JSONNoun {
  /// With its article; nil for a type that is none of JSON's own.
  static func of(_ type: any Any.Type) -> String? {
    switch type {
    case is String.Type: "a text"
    case is Bool.Type: "true or false"
    case is any BinaryInteger.Type, is any BinaryFloatingPoint.Type: "a number"
    case is [Any].Type: "a list"
    case is [String: Any].Type: "an object"
    default: nil
    }
  }

  /// What a value of the right form must be besides; nil for a type whose own error says it.
  static func range(of type: any Any.Type) -> String? {
    if let type = type as? any FixedWidthInteger.Type { return "must be a whole number from \(type.min) to \(type.max)" }
    if type is any BinaryFloatingPoint.Type { return "is a number that is too large" }
    return type is String.Type ? "has bytes or an escape that are no character" : nil
  }
}
