import BuildModel
import Testing

@testable import HTTP
@testable import Registry

struct ReferenceTests {
  private static let digest = "sha256:" + String(repeating: "ab", count: 32)

  @Test(
    arguments: [
      ("localhost/a", "localhost", "a", nil, nil), ("127.0.0.1:5000/v2/0af:latest", "127.0.0.1:5000", "v2/0af", "latest", nil),
      ("registry2.balena-cloud.com/v2/0af@\(digest)", "registry2.balena-cloud.com", "v2/0af", nil, digest),
      ("r.example:443/a.b/c__d/e---f:1.2_3-x@\(digest)", "r.example:443", "a.b/c__d/e---f", "1.2_3-x", digest),
      ("[::1]:5000/a", "[::1]:5000", "a", nil, nil),
    ] as [(String, String, String, String?, String?)])
  func referencesAreTakenApart(text: String, registry: String, repository: String, tag: String?, digest: String?) throws {
    let reference = try ImageReference(text)
    #expect(reference.registry.text == registry && reference.repository.text == repository)
    #expect(reference.tag?.text == tag && reference.digest?.description == digest)
    #expect("\(reference)" == text)
  }

  @Test(arguments: [
    "", "a", "alpine:3", "library/alpine", "r.example/", "r.example/A", "r.example/a:", "r.example/a:-x", "r.example/a@sha256:12", "r.example/a//b",
    "r.example/-a", "r.example/a___b", "r.example/a..b", "r.example/../b", "user:pw@r.example/a", "r.example:x/a", "r.example?x/a", "r.example/a b",
    "r.example/a?b", "r.example:0/a", "r.example/" + String(repeating: "a", count: 256), "r.example/a:" + String(repeating: "a", count: 129),
  ])
  func otherTextsAreNone(text: String) { #expect(throws: InvalidReference.self) { _ = try ImageReference(text) } }

  @Test func challengesAreTakenApart() throws {
    let both = RegistryChallenge.parse([
      #"Basic realm="x, y", Bearer realm="https://api.example/auth/v1/token",service="r\"2",scope="repository:v2/a:push,pull repository:v2/b:pull registry:catalog:*",error="insufficient_scope""#
    ])
    let a = RegistryScope(try RepositoryName("v2/a"), [.pull, .push])
    let b = RegistryScope(try RepositoryName("v2/b"), [.pull])
    #expect(both == [.basic, .bearer(realm: "https://api.example/auth/v1/token", service: "r\"2", scopes: [a, b])])
    #expect(
      RegistryChallenge.parse(["bearer Realm=https", "Negotiate abc==", "Bearer service=x", "", "Bearer realm=\"open"]) == [
        .bearer(realm: "https", service: nil, scopes: [])
      ])
  }
}
