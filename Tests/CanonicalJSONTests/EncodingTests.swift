import CanonicalJSON
import Testing

/// Digests of plans, parts, manifests and locks depend on these bytes.
@Suite struct EncodingTests {
  private struct Sample: Codable, Hashable {
    var zebra = "a/b \"quoted\" \\ \u{1}\n\t é 😀"
    var apple: [Int64] = [.min, 0, .max]
    var Upper = true
    var number = 0.1
    var whole = 3.0
    var none: Int?
    var empty: [String: String] = [:]
    var labels = ["io.balena/x": "1", "a": "2", "B": "3", "é": "4"]
    var kind = Kind.second(size: 4, "x")
    enum Kind: Codable, Hashable { case first, second(size: Int, String) }
  }

  @Test func writesTheSameBytesForEver() throws {
    let golden =
      #"{"Upper":true,"apple":[-9223372036854775808,0,9223372036854775807],"empty":{},"kind":{"second":{"_1":"x","size":4}},"#
      + #""labels":{"B":"3","a":"2","io.balena/x":"1","é":"4"},"number":0.1,"whole":3,"#
      + #""zebra":"a/b \"quoted\" \\ \u0001\n\t é 😀"}"#
    #expect(String(decoding: try CanonicalJSON.encode(Sample()), as: UTF8.self) == golden)
    #expect(String(decoding: try CanonicalJSON.line(Sample()), as: UTF8.self) == golden + "\n")
    #expect(try CanonicalJSON.decode(Sample.self, from: golden.utf8) == Sample())
  }

  @Test func writesSingleValues() throws {
    #expect(try CanonicalJSON.encode("x") == Array(#""x""#.utf8))
    #expect(try CanonicalJSON.encode([Int]()) == Array("[]".utf8))
    #expect(try CanonicalJSON.encode(Int?.none) == Array("null".utf8))
  }

  @Test func indentsForPeople() throws {
    let golden = """
      {
        "a" : [
          1
        ],
        "b/c" : [

        ]
      }

      """
    #expect(String(decoding: try CanonicalJSON.readable(["b/c": [], "a": [1]]), as: UTF8.self) == golden)
  }

  @Test func namesTheNumberThatJSONLacks() throws {
    let error = #expect(throws: JSONProblem.self) { try CanonicalJSON.encode(["load": [1, Double.nan]]) }
    #expect(error?.description == "'load[1]' cannot be written as JSON: nan")
  }
}
