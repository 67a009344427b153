import BuildModel
import Foundation
import Testing

@testable import Planning

/// What a name stands for in a submodule's remote.
struct SubmoduleRefTests {
  private let path = RelativePath("layers/meta-balena")!
  private static func commit(_ digit: Character) -> String { String(repeating: digit, count: 40) }
  private let refs = RemoteRefs(
    """
    \(commit("a"))\tHEAD
    \(commit("a"))\trefs/heads/master
    \(commit("b"))\trefs/heads/2.58.x
    \(commit("c"))\trefs/heads/same
    \(commit("d"))\trefs/tags/same
    \(commit("e"))\trefs/tags/v2.60.1
    \(commit("f"))\trefs/tags/v2.60.1^{}
    \(commit("1"))\trefs/pull/12/head
    \(commit("2"))\trefs/pull/12/merge
    \(commit("3"))\trefs/heads/pr/13

    """)

  static let names: [(text: String, name: String, digit: Character)] = [
    ("master", "refs/heads/master", "a"), ("origin/master", "refs/heads/master", "a"), ("refs/heads/2.58.x", "refs/heads/2.58.x", "b"),
    ("v2.60.1", "refs/tags/v2.60.1", "f"), ("pull/12/head", "refs/pull/12/head", "1"), ("pull/12/merge", "refs/pull/12/merge", "2"),
    ("pr/12", "refs/pull/12/head", "1"), ("origin/pr/12/head", "refs/pull/12/head", "1"), ("pr/13", "refs/heads/pr/13", "3"),
  ]

  @Test(arguments: names) func find(_ expected: (text: String, name: String, digit: Character)) throws {
    let found = try refs.find(expected.text, submodule: path)
    #expect(found.name == expected.name)
    #expect(found.commit.hex == Self.commit(expected.digit))
  }

  @Test func refusals() {
    let ambiguous = #expect(throws: PlanningError.self) { try refs.find("same", submodule: path) }
    #expect(ambiguous?.description.contains("refs/heads/same (cccccccccc), refs/tags/same (dddddddddd); name one in full") == true)
    let unknown = #expect(throws: PlanningError.self) { try refs.find("2.59.x", submodule: path) }
    #expect(unknown?.description.hasSuffix("'2.59.x'; known: 2.58.x") == true)
    let short = #expect(throws: PlanningError.self) { try refs.find("aaaaaaa", submodule: path) }
    #expect(short?.description.hasSuffix("; a commit is named by all its 40 digits") == true)
  }
}
