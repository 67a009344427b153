import BuildModel
import CanonicalJSON
import Testing

/// Failures and whose fault they are, also in the form in which workers send them.
struct FailureTests {
  static let parties: [(Failure.Kind, Blame)] = [
    (.build, .repository), (.fetch, .repository), (.timedOut, .repository), (.infrastructure, .host), (.lost, .host), (.coordinator, .coordinator),
    (.cloud, .cloud), (.rejected, .request), (.cancelled, .request),
  ]

  @Test func everyKindHasSomebodyToBlame() {
    #expect(Set(Self.parties.map(\.0)) == Set(Failure.Kind.allCases))
    for (kind, blame) in Self.parties { #expect(Failure(kind: kind, step: nil, reason: "r").blame == blame) }
  }

  /// A failure without a blame of its own looks as it always did.
  @Test func sendsABlameOnlyWhereTheKindDoesNotSayIt() throws {
    let plain = Failure(kind: .build, step: .feed, reason: "r", blame: .repository)
    #expect(String(decoding: try CanonicalJSON.encode(plain), as: UTF8.self) == #"{"details":[],"kind":"build","reason":"r","step":"feed"}"#)
    let other = Failure(kind: .rejected, step: nil, reason: "r", blame: .host)
    #expect(other.blame == .host)
    let bytes = try CanonicalJSON.encode(other)
    #expect(String(decoding: bytes, as: UTF8.self) == #"{"blame":"host","details":[],"kind":"rejected","reason":"r"}"#)
    #expect(try CanonicalJSON.decode(Failure.self, from: bytes) == other)
  }
}
