import FoundationEssentials

/// Why a document could not be read (or written): what is wrong, and at which place. Safe to be shown: short, on one line, without control characters.
package struct JSONProblem: Error, Hashable, Sendable, CustomStringConvertible {
  package enum Kind: Hashable, Sendable {
    case missing
    /// What the place must hold, with its article: "a number".
    case wrongType(expected: String)
    case null(expected: String)
    /// The reason says of the value what it is or must be: "is not UTF-8 text".
    case invalid(reason: String)
    /// The reason is a clause of its own, from the type that refused the value: "not a sha256 digest: abc".
    case refused(reason: String)
    /// Not JSON; the line counts from 1.
    case syntax(line: Int, reason: String)
    case tooLong(bytes: Int, limit: Int)
    case tooDeep(limit: Int)
  }

  package let kind: Kind
  package let path: JSONPath

  init(_ kind: Kind, at path: JSONPath = JSONPath()) {
    self.kind = kind
    self.path = path
  }

  /// A clause that can follow the document's name and a colon: `'manifests[2].digest' is missing`.
  package var description: String {
    let place = path.isEmpty ? "the document" : "'\(path)'"
    return switch kind {
    case .missing: "\(place) is missing"
    case .wrongType(let expected): "\(place) must be \(expected)"
    case .null(let expected): "\(place) must be \(expected), not null"
    case .invalid(let reason): "\(place) \(reason)"
    case .refused(let reason): "\(place): \(reason)"
    case .syntax(let line, let reason): "line \(line) is not JSON: \(reason)"
    case .tooLong(let bytes, let limit): "the document has \(bytes) bytes; at most \(limit) are read"
    case .tooDeep(let limit): "the document nests lists and objects more than \(limit) levels deep"
    }
  }
}

extension JSONProblem {
  /// For a document of which the decoder cannot read the first value.
  init(unreadable data: Data, depthLimit: Int) {
    let bytes = Array(data)
    var scanner = JSONSyntaxScanner(bytes, depthLimit: depthLimit)
    if let problem = scanner.problem() {
      self.init(.syntax(line: scanner.line, reason: problem))
    } else if String(validating: bytes, as: UTF8.self) == nil {
      self.init(.invalid(reason: "is not UTF-8 text"))
    } else {
      self.init(.invalid(reason: "cannot be read as JSON"))
    }
  }

  init(encoding error: any Error) {
    guard case EncodingError.invalidValue(let value, let context) = error else {
      self.init(.invalid(reason: "cannot be written as JSON: \("\(error)".harmless(limit: 200))"))
      return
    }
    self.init(.invalid(reason: "cannot be written as JSON: \("\(value)".harmless(limit: 80))"), at: JSONPath(context.codingPath))
  }

  init(decoding failure: LocatedFailure) {
    switch failure.cause {
    case DecodingError.keyNotFound(let key, let context):
      self.init(.missing, at: JSONPath(context.codingPath + [key]))
    case DecodingError.typeMismatch(let type, let context):
      let kind = JSONNoun.of(type).map { Kind.wrongType(expected: $0) } ?? .invalid(reason: failure.unknownForm)
      self.init(kind, at: JSONPath(context.codingPath))
    case DecodingError.valueNotFound(let type, let context):
      self.init(.null(expected: JSONNoun.of(type) ?? "something"), at: JSONPath(context.codingPath))
    case DecodingError.dataCorrupted(let context):
      let reason = context.debugDescription.harmless(limit: 200)
      self.init(failure.unknownChoice.map { .invalid(reason: $0) } ?? .refused(reason: reason), at: JSONPath(context.codingPath))
    default:
      // A type's own error, or one of the decoder's that no caller can name: a number out of range, an escape that is no character.
      let reason = "\(failure.cause)".harmless(limit: 200)
      self.init(JSONNoun.range(of: failure.type).map { .invalid(reason: $0) } ?? .refused(reason: reason), at: JSONPath(failure.path))
    }
  }
}
