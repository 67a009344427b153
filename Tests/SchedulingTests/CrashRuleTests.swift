import BuildModel
import Scheduling
import Testing

struct CrashRuleTests {
  @Test func givesUpAfterThreeCrashesAndSuspectsAfterTwo() throws {
    let crashes = [try Slug("once"): 1, try Slug("twice-b"): 2, try Slug("twice-a"): 2, try Slug("thrice"): 3, try Slug("more"): 4]
    let verdict = CrashRule.verdict(crashes: crashes)
    #expect(verdict.failed.map(\.text).sorted() == ["more", "thrice"])
    #expect(verdict.suspects.map(\.text) == ["twice-a", "twice-b"])
    let none = CrashRule.verdict(crashes: [:])
    #expect(none.failed.isEmpty && none.suspects.isEmpty)
  }
}
