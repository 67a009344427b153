/// Where decoding failed, at what type, and with which error.
struct LocatedFailure: Error {
  let path: [any CodingKey]
  let type: any Any.Type
  let cause: any Error
  /// What stands there, where that is a short text or an object with one key.
  let found: String?

  /// For a type with a list of values, which of them may stand there. Nil for other types.
  var unknownChoice: String? {
    guard type is any RawRepresentable.Type else { return nil }
    guard let type = type as? any CaseIterable.Type else { return found.map { "is '\($0)', which is not known" } ?? "has a value that is not known" }
    return "must be one of \(Self.texts(type).joined(separator: ", "))\(found.map { ", not '\($0)'" } ?? "")"
  }

  /// For a type whose forms are objects with one key each.
  var unknownForm: String { found.map { "is of a kind that is not known: '\($0)'" } ?? "has none of the forms that are known" }

  private static func texts<Choice: CaseIterable>(_ type: Choice.Type) -> [String] {
    type.allCases.map { "\(($0 as? any RawRepresentable)?.rawValue ?? $0)" }
  }
}

/// A value that is decoded through ``LocatingDecoder``: its errors carry the place, whoever throws them.
struct Located<Value: Decodable>: Decodable {
  let value: Value

  init(from decoder: any Decoder) throws {
    do {
      value = try Value(from: LocatingDecoder(inner: decoder))
    } catch let failure as LocatedFailure {
      throw failure
    } catch {
      throw LocatedFailure(path: decoder.codingPath, type: Value.self, cause: error, found: Self.found(by: decoder))
    }
  }

  private static func found(by decoder: any Decoder) -> String? {
    if let text = try? decoder.singleValueContainer().decode(String.self) { return text.harmless(limit: 80) }
    guard let keys = try? decoder.container(keyedBy: AnyKey.self).allKeys, keys.count == 1 else { return nil }
    return keys[0].stringValue.harmless(limit: 80)
  }

  private struct AnyKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }
}

/// Passes everything on to another decoder and decodes each part as ``Located``.
private struct LocatingDecoder: Decoder {
  let inner: any Decoder
  var codingPath: [any CodingKey] { inner.codingPath }
  var userInfo: [CodingUserInfoKey: Any] { inner.userInfo }

  func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
    KeyedDecodingContainer(LocatingMembers(inner: try inner.container(keyedBy: type)))
  }
  func unkeyedContainer() throws -> any UnkeyedDecodingContainer { LocatingElements(inner: try inner.unkeyedContainer()) }
  func singleValueContainer() throws -> any SingleValueDecodingContainer { LocatingValue(inner: try inner.singleValueContainer()) }
}

private struct LocatingMembers<Key: CodingKey>: KeyedDecodingContainerProtocol {
  let inner: KeyedDecodingContainer<Key>
  var codingPath: [any CodingKey] { inner.codingPath }
  var allKeys: [Key] { inner.allKeys }

  func contains(_ key: Key) -> Bool { inner.contains(key) }
  func decodeNil(forKey key: Key) throws -> Bool { try inner.decodeNil(forKey: key) }
  func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value { try inner.decode(Located<Value>.self, forKey: key).value }

  func nestedContainer<NestedKey: CodingKey>(keyedBy type: NestedKey.Type, forKey key: Key) throws -> KeyedDecodingContainer<NestedKey> {
    KeyedDecodingContainer(LocatingMembers<NestedKey>(inner: try inner.nestedContainer(keyedBy: type, forKey: key)))
  }
  func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
    LocatingElements(inner: try inner.nestedUnkeyedContainer(forKey: key))
  }
  func superDecoder() throws -> any Decoder { LocatingDecoder(inner: try inner.superDecoder()) }
  func superDecoder(forKey key: Key) throws -> any Decoder { LocatingDecoder(inner: try inner.superDecoder(forKey: key)) }
}

private struct LocatingElements: UnkeyedDecodingContainer {
  var inner: any UnkeyedDecodingContainer
  var codingPath: [any CodingKey] { inner.codingPath }
  var count: Int? { inner.count }
  var isAtEnd: Bool { inner.isAtEnd }
  var currentIndex: Int { inner.currentIndex }

  mutating func decodeNil() throws -> Bool { try inner.decodeNil() }
  mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value { try inner.decode(Located<Value>.self).value }

  mutating func nestedContainer<NestedKey: CodingKey>(keyedBy type: NestedKey.Type) throws -> KeyedDecodingContainer<NestedKey> {
    KeyedDecodingContainer(LocatingMembers(inner: try inner.nestedContainer(keyedBy: type)))
  }
  mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer { LocatingElements(inner: try inner.nestedUnkeyedContainer()) }
  mutating func superDecoder() throws -> any Decoder { LocatingDecoder(inner: try inner.superDecoder()) }
}

private struct LocatingValue: SingleValueDecodingContainer {
  let inner: any SingleValueDecodingContainer
  var codingPath: [any CodingKey] { inner.codingPath }

  func decodeNil() -> Bool { inner.decodeNil() }
  func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
    // Values of JSON's own forms read themselves through this method: no further place is between them and the document.
    if JSONNoun.of(type) != nil { return try inner.decode(type) }
    return try inner.decode(Located<Value>.self).value
  }
}
