/// A length of time on the wire, in seconds: at most 10⁹ (about 31 years) either way. A clock that was set back during a step makes it negative.
///
/// What is decoded from outside this range is refused; what this program measures is brought into it.
@propertyWrapper package struct Seconds: Codable, Hashable, Sendable {
  package static let limit = 1e9
  private var value: Double

  package var wrappedValue: Double {
    get { value }
    set { value = Self.bounded(newValue) }
  }

  package init(wrappedValue: Double) { value = Self.bounded(wrappedValue) }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let number = try container.decode(Double.self)
    guard number.magnitude <= Self.limit else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a length of time of at most 1000000000 seconds: \(number)")
    }
    value = number
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(value)
  }

  private static func bounded(_ number: Double) -> Double { number.isNaN ? 0 : max(-limit, min(limit, number)) }
}
