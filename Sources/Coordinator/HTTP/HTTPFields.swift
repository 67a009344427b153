/// Header fields in the order of the message; names are compared without case (RFC 9110 section 5.1).
package struct HTTPFields: Hashable, Sendable, ExpressibleByDictionaryLiteral {
  package struct Field: Hashable, Sendable {
    package let name: String
    package let value: String
  }
  package private(set) var all: [Field] = []

  package init() {}
  package init(dictionaryLiteral elements: (String, String)...) { for (name, value) in elements { add(name, value) } }

  package mutating func add(_ name: String, _ value: String) { all.append(Field(name: name, value: value)) }

  /// The first value of that name; setting replaces all of them.
  package subscript(name: String) -> String? {
    get { all.first { Self.matches($0.name, name) }?.value }
    set {
      all.removeAll { Self.matches($0.name, name) }
      if let newValue { add(name, newValue) }
    }
  }

  package func values(_ name: String) -> [String] { all.filter { Self.matches($0.name, name) }.map(\.value) }

  /// The name of a field that cannot be sent: no token as name, or a line break or NUL in its value.
  var unsendable: String? {
    all.first { field in
      field.name.isEmpty || !field.name.utf8.allSatisfy(Self.isToken) || field.value.utf8.contains { $0 == 0 || $0 == 10 || $0 == 13 }
    }?.name
  }

  private static func matches(_ a: String, _ b: String) -> Bool { a.lowercased() == b.lowercased() }

  /// RFC 9110 section 5.6.2.
  package static func isToken(_ byte: UInt8) -> Bool {
    switch byte {
    case 48...57, 65...90, 97...122: true
    default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
    }
  }
}
