import Foundation

/// A parsed JSON document that is asked by key and index; what is not there is null.
struct JSON {
  private let value: Any?

  init(_ text: String) throws { value = try JSONSerialization.jsonObject(with: Data(text.utf8)) }
  private init(value: Any?) { self.value = value }

  subscript(_ key: String) -> JSON { JSON(value: (value as? [String: Any])?[key]) }
  subscript(_ index: Int) -> JSON {
    let items = items
    return items.indices.contains(index) ? items[index] : JSON(value: nil)
  }

  var items: [JSON] { (value as? [Any])?.map { JSON(value: $0) } ?? [] }
  var keys: [String] { (value as? [String: Any])?.keys.sorted() ?? [] }
  var text: String? { value as? String }
  var number: Int? { (value as? NSNumber)?.intValue }
  var bool: Bool? { (value as? NSNumber)?.boolValue }
  var isNull: Bool { value is NSNull }
  /// The device type of an index.
  func deviceType(_ slug: String) -> JSON { self["deviceTypes"].items.first { $0["slug"].text == slug } ?? JSON(value: nil) }
}
