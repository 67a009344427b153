import BuildModel
import Testing

/// A path that could leave its root, or that hides something, is no value of the type.
struct RelativePathTests {
  @Test(arguments: ["a", "a/b/c", "...", "a/...", ".a", "..a/b", "a..", "a b/ü", "a/.b/..c"])
  func staysBelowItsRoot(text: String) {
    #expect(RelativePath(text)?.text == text)
  }

  @Test(arguments: [
    "", "/", "/a", "a/", "a//b", ".", "..", "./a", "../a", "a/.", "a/..", "a/./b", "a/../b", "a\n", "a\0b", "a\u{7f}",
    String(repeating: "a", count: 1025),
  ])
  func refuses(text: String) {
    #expect(RelativePath(text) == nil)
  }

  @Test func theLongestPathIsTaken() {
    #expect(RelativePath(String(repeating: "a", count: 1024)) != nil)
  }
}
