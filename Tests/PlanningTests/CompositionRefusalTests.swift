import BuildModel
import Foundation
import TestFiles
import TestGolden
import Testing

@testable import Planning

/// Compositions that break a rule: every message names the file, the service and the rule.
@Suite struct CompositionRefusalTests {
  static let hostapp = "hostapp: {image: __BUILD_OUTPUT__, x-build: {}, labels: {io.balena.image.class: hostapp}}"

  static let broken: [(rule: CompositionRule, text: String)] = [
    (.syntax, "services: {a: [}"), (.syntax, "a: 1\na: 2"), (.syntax, "a: &x [*x]"), (.syntax, "a: *nobody"), (.syntax, "a: 1\n---\nb: 2"),
    (.syntax, "a: \u{0}"),
    (.aliases, "a: &a x\nb: [\(Array(repeating: "*a", count: 9).joined(separator: ", "))]"),
    (.nesting, "a: " + String(repeating: "[", count: 600) + String(repeating: "]", count: 600)),
    (.nesting, "a: " + String(repeating: "[", count: 40) + String(repeating: "]", count: 40)),
    (.nesting, String(repeating: "- ", count: 60) + "x"), (.mergeKey, "a: &a {b: 1}\nc: {<<: *a}"), (.tag, "a: !ruby/object:X {}"),
    (.tag, "a: !!binary aGk="),
    (.key, "? [a]\n: 1"), (.number, "a: .inf"), (.number, "a: 99999999999999999999"), (.shape, "- a"), (.shape, "services: [a]"),
    (.noServices, "version: '2.4'"), (.noServices, "services: {a: ~}"), (.serviceName, "services: {\"../x\": {image: a}}"),
    (.shape, "services: {a: 1}"),
    (.unknownBuildKey, "services:\n  \(hostapp)\n  a: {image: __BUILD_OUTPUT__, x-build: {recipe: r, target: t}}"),
    (.badRecipe, "services:\n  \(hostapp)\n  a: {image: __BUILD_OUTPUT__, x-build: {recipe: -k}}"),
    (.badRecipe, "services:\n  \(hostapp)\n  a: {image: __BUILD_OUTPUT__, x-build: {recipe: [r]}}"),
    (.badArgument, "services:\n  \(hostapp)\n  a: {image: __BUILD_OUTPUT__, x-build: {recipe: r, build_args: [\"a\\nb\"]}}"),
    (.badAsset, "services:\n  \(hostapp)\n  a: {image: __BUILD_OUTPUT__, x-build: {recipe: r, assets: [\"images/../../x\"]}}"),
    (.badAsset, "services:\n  \(hostapp)\n  a: {image: __BUILD_OUTPUT__, x-build: {recipe: r, assets: [/etc/passwd]}}"),
    (.badImage, "services:\n  \(hostapp)\n  a: {image: \"x y\"}"), (.shape, "services:\n  \(hostapp)\n  a: {image: 3}"),
    (.shape, "services:\n  \(hostapp)\n  a: {image: a, labels: [x=y]}"), (.shape, "services:\n  \(hostapp)\n  a: {image: a, labels: {x: {}}}"),
    (.buildSlotWithoutBuild, "services:\n  \(hostapp)\n  a: {image: __BUILD_OUTPUT__, x-build: ~}"),
    (.buildWithoutBuildSlot, "services:\n  \(hostapp)\n  a: {image: a, x-build: {recipe: r}}"),
    (.buildWithoutBuildSlot, "services:\n  \(hostapp)\n  a: {x-build: {recipe: r}}"),
    (.noProvenance, "services:\n  \(hostapp)\n  a: {labels: {}}"), (.nothingToBuild, "services: {a: {image: a}}"),
    (.missingHostapp, "services: {a: {image: __BUILD_OUTPUT__, x-build: {recipe: r}}}"),
    (.missingHostapp, "services: {a: {image: __BUILD_OUTPUT__, x-build: {recipe: r}}, h: {image: h, labels: {io.balena.image.class: hostapp}}}"),
    (.severalHostapps, "services:\n  \(hostapp)\n  two: {image: a, labels: {io.balena.image.class: hostapp}}"),
    (.hostappRecipe, "services: {h: {image: __BUILD_OUTPUT__, x-build: {recipe: other}, labels: {io.balena.image.class: hostapp}}}"),
    (.hostappArguments, "services: {h: {image: __BUILD_OUTPUT__, x-build: {build_args: [-d]}, labels: {io.balena.image.class: hostapp}}}"),
    (
      .duplicateRecipe,
      "services:\n  \(hostapp)\n  a: {image: __BUILD_OUTPUT__, x-build: {recipe: r}}\n  b: {image: __BUILD_OUTPUT__, x-build: {recipe: r}}"
    ),
    (.duplicateOutput, "services:\n  \(hostapp)\n  a: {image: __BUILD_OUTPUT__, x-build: {}}"),
    (.duplicateOutput, "services:\n  \(hostapp)\n  a: {image: __BUILD_OUTPUT__, x-build: {recipe: balena-image-flasher}}"),
    (.misplacedPlaceholder, "services:\n  \(hostapp)\n  a: {image: a, environment: [X=__BUILD_OUTPUT__]}"),
    (.misplacedPlaceholder, "services:\n  \(hostapp)\nx-a: {__BUILD_OUTPUT__: 1}"),
    (.size, "#" + String(repeating: "x", count: 70_000)),
  ]

  static func refusal(_ text: String) -> PlanningError? {
    do {
      let document = try CompositionDocument.parse(Array(text.utf8), file: "acme.hostapp.yml")
      _ = try Composition.merge(base: nil, overlay: document, systemTargets: [try RecipeName("balena-image-flasher")])
      return nil
    } catch {
      return error as? PlanningError
    }
  }

  @Test func namesFileServiceAndRule() throws {
    var lines: [String] = []
    for (rule, text) in Self.broken {
      let error = try #require(Self.refusal(text), "\(rule): \(text.prefix(200))")
      guard case .composition("acme.hostapp.yml", _, _, let found, _) = error else { return #expect(Bool(false), "\(error)") }
      #expect(found == rule, "\(text.prefix(200)): \(error)")
      lines.append(error.description)
    }
    #expect(Set(Self.broken.map(\.rule)).union([.expansion]) == Set(CompositionRule.allCases), "each rule has a case")
    try Golden.checkDescription("composition-refusals", lines.joined(separator: "\n"))
  }

  /// The file that had the last word on the service is named.
  @Test func namesTheRightFile() throws {
    func document(_ text: String, _ file: String) throws -> CompositionDocument { try .parse(Array("services: {\(text)}".utf8), file: file) }
    let base = try document(Self.hostapp + ", a: {image: a}, b: {}", "base.yml")
    let error = #expect(throws: PlanningError.self) { try Composition.merge(base: base, overlay: document("a: {image: c}", "over.yml")) }
    #expect(error?.description.hasPrefix("base.yml:1: service 'b': ") == true)
    let other = #expect(throws: PlanningError.self) { try Composition.merge(base: base, overlay: document("b: ~, a: {image: C}", "over.yml")) }
    #expect(other?.description.hasPrefix("over.yml:1: service 'a': ") == true)
  }

  static let hostile: [String] = {
    // A billion laughs: nine levels of nine.
    var laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
    for level in 1..<9 { laughs += "a\(level): &a\(level) [\(Array(repeating: "*a\(level - 1)", count: 9).joined(separator: ","))]\n" }
    var pairs = "a0: &a0 {x: y}\n"
    for level in 1..<40 { pairs += "a\(level): &a\(level)\n- *a\(level - 1)\n- *a\(level - 1)\n" }
    let keys = laughs + "? *a8\n: 1\n"
    // Behind line breaks that only YAML knows, and behind what looks like a comment.
    let hidden = ["\r", "\u{85}", "\u{2028}"].map { laughs.replacing("\n", with: $0) } + [laughs.replacing("\n", with: "\n# \"\n")]
    let quoted = "x: [\"\n# \", \(Array(repeating: "*x", count: 50).joined(separator: ","))]"
    let deep = ["[", "{a: ", "- ", "? ", "a:\n- "].map { String(repeating: $0, count: 30_000 / $0.utf8.count) }
    var stairs = ""
    for level in 0..<350 { stairs += String(repeating: " ", count: level) + "a:\n" }
    let wide = "x: [" + String(repeating: "a,", count: 30_000) + "a]"
    return [laughs, pairs, keys, quoted, stairs, wide + "\ny: *x", "&a a: *a\n*a : 1", "\u{feff}", "%YAML 9.9\n---\na", "--- !!set {a, b}", "a: *"]
      + hidden + deep
  }()

  /// Refused or read, in bounded time; the limit is generous, for a busy machine.
  @Test func isBounded() {
    for text in Self.hostile {
      let start = ContinuousClock.now
      _ = try? Composition.merge(base: .parse(Array(text.utf8), file: "f"), overlay: nil)
      #expect(ContinuousClock.now - start < .seconds(5), "\(text.prefix(60))")
    }
    #expect(throws: PlanningError.self) { try CompositionDocument.parse(Array(Self.hostile[0].utf8), file: "f") }
  }

  @Test func fewAliasesAreTakenApartAndCounted() throws {
    let document = try CompositionDocument.parse(Array("a: &x {b: [1, 2]}\nc: *x\n# not *an *alias".utf8), file: "f")
    #expect(document.value["c"] == document.value["a"])
    var text = "a: &a [\(Array(repeating: "x", count: 9_000).joined(separator: ","))]\n"
    text += "b: [*a, *a, *a]\n"
    guard
      case .composition(_, _, _, .expansion, _) = try #require(
        throws: PlanningError.self, performing: { try CompositionDocument.parse(Array(text.utf8), file: "f") })
    else { return #expect(Bool(false), "too many values") }
  }

  /// Random damage to a real file never traps: it is read or refused.
  @Test func survivesDamage() throws {
    let whole = try Fixtures().bytes("hostapp/overlays/raspberrypi5.hostapp.yml")
    var state: UInt64 = 1
    func next(_ below: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % below
    }
    let pieces = ["*a", "&a ", "[", "{", "}", "\n", "  ", "- ", "? ", ": ", "!!int ", "\"", "'", "|", "~", "\u{0}", "<<", "__BUILD_OUTPUT__"].map {
      Array($0.utf8)
    }
    var read = 0
    for _ in 0..<3_000 {
      var bytes = whole
      for _ in 0...next(4) {
        let at = next(bytes.count)
        switch next(3) {
        case 0: bytes.remove(at: at)
        case 1: bytes.insert(contentsOf: pieces[next(pieces.count)], at: at)
        default: bytes[at] = UInt8(next(256))
        }
      }
      guard let document = try? CompositionDocument.parse(bytes, file: "f") else { continue }
      read += 1
      _ = try? Composition.merge(base: document, overlay: nil)
    }
    #expect(read > 100)
  }
}
