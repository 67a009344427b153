/// What a URL below `/<version>/` asks for.
package struct ODataTarget: Hashable, Sendable {
  package enum Key: Hashable, Sendable {
    case id(ODataExpression)
    /// `(release=1,asset_key='a')`
    case natural([String: ODataExpression])
  }
  package var resource: String
  package var key: Key?
  /// `/$count`.
  package var isCount = false
  /// The name after the resource: `canAccess`, `beginUpload`.
  package var action: String?
}

/// The options of a query or of one expanded property, in any order.
package struct ODataOptions: Hashable, Sendable {
  package struct Order: Hashable, Sendable {
    package var path: [String]
    package var isAscending: Bool
    /// `nav/$count`.
    package var isCount = false
  }

  package struct Expansion: Hashable, Sendable {
    package var name: String
    package var isCount = false
    package var options = ODataOptions()
  }

  package var filter: ODataExpression?
  /// nil means all own fields.
  package var select: [String]?
  package var expand: [Expansion] = []
  package var orderBy: [Order] = []
  package var top: Int?
  package var skip: Int?
  /// `@id=5`
  package var parameters: [String: JSONValue] = [:]
  /// All other `name=value` pairs, for example `returnResource=false`.
  package var custom: [String: String] = [:]
}

/// The text is not OData; the server says 400.
package struct ODataSyntaxError: Error, Hashable, Sendable, CustomStringConvertible {
  /// Bytes from the start of the text.
  package var offset: Int
  package var expected: String

  package var description: String { "malformed URL: \(expected) expected at byte \(offset)" }
}
