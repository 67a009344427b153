/// A place in a JSON document, for example `manifests[2].digest`. Empty for the document itself.
package struct JSONPath: Hashable, Sendable, CustomStringConvertible {
  package enum Component: Hashable, Sendable {
    case key(String)
    /// From 0.
    case index(Int)
  }
  package var components: [Component]

  package init(_ components: [Component] = []) { self.components = components }

  /// What a decoder calls its place.
  init(_ codingPath: [any CodingKey]) {
    components = codingPath.map { key in key.intValue.map { .index($0) } ?? .key(key.stringValue) }
  }

  package var isEmpty: Bool { components.isEmpty }

  /// Keys that are no plain words are quoted: `auths["host:5000"].auth`.
  package var description: String {
    var text = ""
    for component in components {
      switch component {
      case .index(let index): text += "[\(index)]"
      case .key(let key) where key.isPlainWord: text += text.isEmpty ? key : "." + key
      case .key(let key): text += "[\"\(key.harmless(limit: 80))\"]"
      }
    }
    return text.count <= 300 ? text : text.prefix(140) + "…" + text.suffix(140)
  }
}

extension String {
  fileprivate var isPlainWord: Bool {
    !isEmpty && utf8.count <= 80
      && utf8.allSatisfy { (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) || $0 == 95 || $0 == 45 }
  }

  /// On one line, at most so many characters, and without what changes how a terminal shows the rest.
  func harmless(limit: Int) -> String {
    let scalars = unicodeScalars.prefix(4 * limit).map { scalar -> Unicode.Scalar in
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: "?"
      default: scalar
      }
    }
    let text = String(String.UnicodeScalarView(scalars))
    return text.count <= limit ? text : text.prefix(limit - 1) + "…"
  }
}
