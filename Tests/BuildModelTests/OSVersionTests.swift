import BuildModel
import TestFiles
import Testing

@Suite struct OSVersionTests {
  struct ParseTable: Decodable, Sendable {
    var cases: [Case]
    struct Case: Decodable, Sendable, CustomTestStringConvertible {
      var input: String
      var lenientSemver: Bool
      var major: Int?
      var minor: Int?
      var patch: Int?
      var prerelease: [Part]?
      var build: [String]?
      var revision: Int?
      var esr: Bool
      var testDescription: String { "'\(input)'" }
    }
    enum Part: Decodable, Sendable {
      case number(Int)
      case text(String)
      init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let number = try? container.decode(Int.self) { self = .number(number) } else { self = .text(try container.decode(String.self)) }
      }
      var identifier: OSVersion.Identifier {
        switch self {
        case .number(let number): .number(number)
        case .text(let text): .text(text)
        }
      }
    }
  }

  struct CompareTable: Decodable, Sendable {
    var cases: [Case]
    struct Case: Decodable, Sendable, CustomTestStringConvertible {
      var a: String?
      var b: String?
      var compare: Int
      var note: String?
      var testDescription: String { "\(a ?? "nothing") against \(b ?? "nothing")" }
    }
  }

  struct RangeTable: Decodable, Sendable {
    var cases: [Case]
    struct Case: Decodable, Sendable, CustomTestStringConvertible {
      var range: String
      var version: String
      var rangeValid: Bool
      var satisfies: Bool
      var testDescription: String { "'\(range)' with \(version)" }
    }
  }

  struct Tags: Decodable, Sendable {
    var esr: [String]
    var irregular: [String]
    var rollingSample: [String]
  }

  @Test(arguments: Fixtures().load(ParseTable.self, "semver/parse-cases.json").cases)
  func parses(_ row: ParseTable.Case) {
    let version = OSVersion(row.input)
    #expect((version != nil) == row.lenientSemver)
    guard let version else { return }
    #expect(version.major == row.major && version.minor == row.minor && version.patch == row.patch)
    #expect(version.prerelease == row.prerelease?.map(\.identifier))
    #expect(version.build == row.build)
    #expect(version.revision == row.revision)
    #expect(version.isESR == row.esr)
  }

  /// The order of texts that are no versions, and the final tie-break by text, are not ours to keep.
  @Test(arguments: Fixtures().load(CompareTable.self, "semver/compare-cases.json").cases.filter { $0.note?.contains("do not depend") != true })
  func orders(_ row: CompareTable.Case) {
    let (a, b) = (row.a.flatMap { OSVersion($0) }, row.b.flatMap { OSVersion($0) })
    guard let a, let b else {
      #expect([row.a, row.b].contains { $0 == nil || ["garbage", "abc", "abd", "2.60"].contains($0) }, "only these are no versions")
      return
    }
    #expect((a < b) == (row.compare < 0))
    #expect((b < a) == (row.compare > 0))
  }

  @Test(arguments: Fixtures().load(RangeTable.self, "semver/range-cases.json").cases)
  func ranges(_ row: RangeTable.Case) throws {
    let range = VersionRange(row.range)
    #expect((range != nil) == row.rangeValid)
    let satisfied = OSVersion(row.version).map { range?.contains($0) ?? false } ?? false
    #expect(satisfied == row.satisfies)
  }

  @Test(arguments: [
    (">2", "3.0.0-beta1", false), (">2", "3.0.0", true), (">2.60", "2.61.0", true), (">2.60", "2.60.9", false),
    ("~> 2.60", "2.60.4", true), ("~>2.60", "2.61.0", false), ("2.60.1+rev-1", "2.60.1", true), ("^2.60.1-beta1", "2.60.1-beta2", true),
    ("^2.60.1-beta1", "2.61.0-beta2", false), (">=2.58.0 <2.70.0 || 6.x", "6.1.24+rev3", true), (">= 2.58", "2.57.9", false),
    ("2.58 - 2.60", "2.60.9", true), ("2.58 - 2.60", "2.61.0-rc1", false), ("6.x", "2021.07.1", false), ("2021.07.x", "2021.7.3", true),
  ])
  func rangesBesideTheTable(_ range: String, _ version: String, _ expected: Bool) throws {
    let range = try #require(VersionRange(range))
    let version = try #require(OSVersion(version))
    #expect(range.contains(version) == expected)
  }

  @Test(arguments: ["two", "2.+1", "2.-1", "1.2.3.4.5", ">", "2.x - ", "||x||y", "1 - 2 - 3", "2.60.1 -"])
  func refusesWhatIsNoRange(_ text: String) { #expect(VersionRange(text) == nil) }

  @Test func readsRealTags() {
    for (repository, tags) in Fixtures().load([String: Tags].self, "semver/real-tags.json") {
      for tag in tags.esr { #expect(OSVersion(tag)?.isESR == !tag.contains("-"), "\(repository) \(tag)") }
      for tag in tags.rollingSample { #expect(OSVersion(tag)?.isESR == false, "\(repository) \(tag)") }
      for tag in tags.irregular { #expect((OSVersion(tag) != nil) == !tag.contains("/"), "\(repository) \(tag)") }
      let rolling = tags.rollingSample.compactMap { OSVersion($0) }
      #expect(rolling.sorted() == rolling, "\(repository) lists its tags in order")
    }
  }

  @Test func writesImageTags() {
    #expect(OSVersion("v6.1.24+rev3")?.imageTag == "6.1.24_rev3")
    #expect(OSVersion("6.1.24-beta.1+rev3.dev")?.imageTag == "6.1.24-beta.1_rev3.dev")
  }
}
