import FoundationEssentials

/// Values as JSON and back: one way to write it, so that equal values give equal bytes, and one way to read it within limits.
package enum CanonicalJSON {
  /// The longest document that is read unless another limit is given, in bytes.
  package static let defaultLimit = 64 << 20
  /// How deep lists and objects may lie in each other. Real documents need about ten levels; what decodes itself by trying one form after another,
  /// as "any JSON value" does, takes time that grows with more than the square of the depth.
  package static let depthLimit = 64

  /// One line without a newline at its end: keys sorted, no blanks, slashes as they are. Digests depend on these bytes: they must never change.
  ///
  /// Throws only for a number that JSON does not have (infinity, "not a number").
  package static func encode(_ value: some Encodable) throws(JSONProblem) -> [UInt8] {
    try encode(value, [.sortedKeys, .withoutEscapingSlashes])
  }

  /// The canonical bytes and a newline: an entry of a file or stream with one document per line.
  package static func line(_ value: some Encodable) throws(JSONProblem) -> [UInt8] { try encode(value) + [UInt8(ascii: "\n")] }

  /// For people: indented, keys sorted, slashes as they are, a newline at the end.
  package static func readable(_ value: some Encodable) throws(JSONProblem) -> [UInt8] {
    try encode(value, [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]) + [UInt8(ascii: "\n")]
  }

  private static func encode(_ value: some Encodable, _ formatting: JSONEncoder.OutputFormatting) throws(JSONProblem) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = formatting
    do { return Array(try encoder.encode(value)) } catch { throw JSONProblem(encoding: error) }
  }

  /// Reads one UTF-8 document, which need not be canonical. Members that the type does not know are skipped.
  ///
  /// Documents of more than `limit` bytes or deeper than ``depthLimit`` are refused before anything is made of them. The error says what is wrong
  /// where, and quotes at most the one value that is refused.
  package static func decode<Value: Decodable>(
    _ type: Value.Type, from bytes: some Sequence<UInt8>, limit: Int = defaultLimit
  ) throws(JSONProblem) -> Value {
    let data = Data(bytes)
    if let refusal = DocumentLimits(bytes: limit, depth: depthLimit).refusal(of: data) { throw JSONProblem(refusal) }
    let decoder = JSONDecoder()
    do { return try decoder.decode(type, from: data) } catch {
      // What the decoder says is neither for people nor complete (it names no place where a number does not fit), so it is asked again.
      do { return try decoder.decode(Located<Value>.self, from: data).value } catch let failure as LocatedFailure {
        throw JSONProblem(decoding: failure)
      } catch {
        throw JSONProblem(unreadable: data, depthLimit: depthLimit)
      }
    }
  }

  /// Where and why a text is not JSON, whatever it may hold; nil when it is JSON. Deeper nesting than ``depthLimit`` counts as wrong, too.
  package static func syntaxProblem(in bytes: [UInt8]) -> (line: Int, reason: String)? {
    var scanner = JSONSyntaxScanner(bytes, depthLimit: depthLimit)
    return scanner.problem().map { (scanner.line, $0) }
  }
}
