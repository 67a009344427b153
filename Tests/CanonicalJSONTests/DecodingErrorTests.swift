import CanonicalJSON
import Testing

@testable import CanonicalJSON

/// What is said of a document that cannot be read: plain words and a place, never the decoder's own text.
@Suite struct DecodingErrorTests {
  private struct Name: Decodable {
    struct Refusal: Error, CustomStringConvertible { var description: String }
    init(from decoder: any Decoder) throws {
      let text = try decoder.singleValueContainer().decode(String.self)
      if text.contains(" ") { throw Refusal(description: "'\(text)' is not a valid name") }
    }
  }
  private struct Checksum: Decodable {
    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if try container.decode(String.self) != "good" {
        throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a checksum")
      }
    }
  }
  private enum Flavour: String, Decodable, CaseIterable { case docker, oci = "OCI" }
  private enum State: String, Decodable { case running }
  private enum Level: Int, Decodable { case low = 1 }
  private enum Answer: Decodable { case started, missing([String]), refused(reason: String) }
  /// Reads itself by trying one form after another.
  private enum Free: Decodable {
    case text, list([Free])
    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if (try? container.decode(String.self)) != nil { self = .text } else { self = .list(try container.decode([Free].self)) }
    }
  }
  private struct Entry: Decodable {
    var checksum: Checksum?
    var size: Int64?
    var byte: UInt8?
    var load: Double?
    var isFinal: Bool?
    var name: Name?
    var flavour: Flavour?
    var state: State?
    var level: Level?
    var answer: Answer?
    var free: Free?
    var labels: [String: String]?
    var auths: [String: [String: Int]]?
    var required: String
  }
  private struct Document: Decodable { var manifests: [Entry] }

  private static func problem(_ text: String) -> String? {
    do {
      _ = try CanonicalJSON.decode(Document.self, from: text.utf8)
      return nil
    } catch { return "\(error)" }
  }

  @Test(arguments: [
    ("{}", "'manifests' is missing"), ("[]", "the document must be an object"), ("null", "the document must be an object, not null"),
    (#"{"manifests":3}"#, "'manifests' must be a list"), (#"{"manifests":null}"#, "'manifests' must be a list, not null"),
    (#"{"manifests":["x"]}"#, "'manifests[0]' must be an object"),
    (#"{"manifests":[{"required":"x"},{"required":"x"},{}]}"#, "'manifests[2].required' is missing"),
    (#"{"manifests":[{"required":null}]}"#, "'manifests[0].required' must be a text, not null"),
    (#"{"manifests":[{"required":true}]}"#, "'manifests[0].required' must be a text"),
  ]) func namesThePlace(_ text: String, _ expected: String) {
    #expect(Self.problem(text) == expected)
  }

  @Test(arguments: [
    (#""size":"1""#, "'manifests[0].size' must be a number"), (#""load":[]"#, "'manifests[0].load' must be a number"),
    (#""isFinal":1"#, "'manifests[0].isFinal' must be true or false"),
    (#""size":1.5"#, "'manifests[0].size' must be a whole number from -9223372036854775808 to 9223372036854775807"),
    (#""size":1e30"#, "'manifests[0].size' must be a whole number from -9223372036854775808 to 9223372036854775807"),
    (#""byte":-1"#, "'manifests[0].byte' must be a whole number from 0 to 255"),
    (#""byte":99999999999999999999999999"#, "'manifests[0].byte' must be a whole number from 0 to 255"),
    (#""load":1e400"#, "'manifests[0].load' is a number that is too large"),
    (#""labels":{"a":"\ud800"}"#, "'manifests[0].labels.a' has bytes or an escape that are no character"),
    (#""labels":{"a/b":1}"#, #"'manifests[0].labels["a/b"]' must be a text"#), (#""labels":["a"]"#, "'manifests[0].labels' must be an object"),
    (#""auths":{"host:5000":{"auth":"x"}}"#, #"'manifests[0].auths["host:5000"].auth' must be a number"#),
  ]) func namesTheExpectedForm(_ member: String, _ expected: String) {
    #expect(Self.problem(#"{"manifests":[{"required":"x",\#(member)}]}"#) == expected)
  }

  @Test(arguments: [
    (#""checksum":"bad""#, "'manifests[0].checksum': not a checksum"), (#""name":"a b""#, "'manifests[0].name': 'a b' is not a valid name"),
    (#""flavour":"oci""#, "'manifests[0].flavour' must be one of docker, OCI, not 'oci'"),
    (#""state":"walking""#, "'manifests[0].state' is 'walking', which is not known"),
    (#""level":2"#, "'manifests[0].level' has a value that is not known"),
    (#""answer":{"postponed":{}}"#, "'manifests[0].answer' is of a kind that is not known: 'postponed'"),
    (#""answer":{}"#, "'manifests[0].answer' has none of the forms that are known"),
    (#""answer":{"refused":{}}"#, "'manifests[0].answer.refused.reason' is missing"),
    (#""answer":{"missing":{"_0":[1]}}"#, "'manifests[0].answer.missing._0[0]' must be a text"),
    (#""free":["x",["x",1]]"#, "'manifests[0].free[1][1]' must be a list"),
  ]) func passesOnWhatTypesSay(_ member: String, _ expected: String) {
    #expect(Self.problem(#"{"manifests":[{"required":"x",\#(member)}]}"#) == expected)
  }

  @Test(arguments: [
    ("", "line 1 is not JSON: a value expected, the document ends"), ("{\n\n", "line 3 is not JSON: a key expected, the document ends"),
    ("{\"manifests\":[]} x", "line 1 is not JSON: nothing expected, found 'x'"),
    ("{\"manifests\":\n+1}", "line 2 is not JSON: a value expected, found '+'"),
    ("nan", "line 1 is not JSON: a value expected, found 'n'"), ("\u{1}", "line 1 is not JSON: a value expected, found byte 1"),
  ]) func findsTheLineThatIsNotJSON(_ text: String, _ expected: String) {
    #expect(Self.problem(text) == expected)
  }

  @Test func refusesOtherEncodings() {
    let wide: [UInt8] = #"{"manifests":[]}"#.utf8.flatMap { [$0, 0] }
    let error = #expect(throws: JSONProblem.self) { try CanonicalJSON.decode(Document.self, from: wide) }
    #expect(error?.description == "the document is not UTF-8 text")
    let inText: [UInt8] = Array(#"{"manifests":[{"required":""#.utf8) + [0xFF] + Array(#""}]}"#.utf8)
    let place = #expect(throws: JSONProblem.self) { try CanonicalJSON.decode(Document.self, from: inText) }
    #expect(place?.description == "'manifests[0].required' has bytes or an escape that are no character")
  }

  @Test func keepsToItsLimits() throws {
    #expect(try CanonicalJSON.decode([Int].self, from: "[1, 2]".utf8, limit: 6) == [1, 2])
    let long = #expect(throws: JSONProblem.self) { try CanonicalJSON.decode([Int].self, from: "[1, 22]".utf8, limit: 6) }
    #expect(long?.description == "the document has 7 bytes; at most 6 are read")

    func nested(_ depth: Int) -> String { String(repeating: "[", count: depth) + #""[\"[""# + String(repeating: "]", count: depth) }
    _ = try CanonicalJSON.decode(Free.self, from: nested(CanonicalJSON.depthLimit).utf8)
    let deep = #expect(throws: JSONProblem.self) { try CanonicalJSON.decode(Free.self, from: nested(CanonicalJSON.depthLimit + 1).utf8) }
    #expect(deep?.description == "the document nests lists and objects more than 64 levels deep")
  }

  /// Keys and texts of foreign documents reach terminals.
  @Test func showsNothingThatHarmsATerminal() {
    let key = Self.problem(#"{"manifests":[{"required":"x","labels":{"\u001b[31m\u202e":1}}]}"#)
    #expect(key == #"'manifests[0].labels["?[31m?"]' must be a text"#)
    let text = Self.problem(#"{"manifests":[{"required":"x","name":"\u001b \#(String(repeating: "y", count: 1000))"}]}"#)
    #expect(text?.hasPrefix("'manifests[0].name': '? yyy") == true && (text?.count ?? 0) <= 250)
    let long = Self.problem(#"{"manifests":[{"required":"x","labels":{"\#(String(repeating: "k", count: 5000))":1}}]}"#)
    #expect((long?.count ?? 0) <= 400)
  }
}
