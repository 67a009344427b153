import BuildModel
import CanonicalJSON
import Foundation
import TestFiles
import Testing

@testable import Planning

@Suite struct CompositionTests {
  struct Table: Decodable, Sendable { var cases: [Case] }
  struct Case: Decodable, Sendable, CustomTestStringConvertible {
    var name: String
    var machine: String
    var base: CompositionValue?
    var overlay: CompositionValue?
    var upstream: Expected
    var farmShould: Expected?
    var testDescription: String { name }
  }
  struct Expected: Decodable, Sendable {
    var merged: CompositionValue?
    var matrix: [Leg]?
    var error: String?
  }
  struct Leg: Decodable, Hashable, Sendable {
    var service_name: String
    var recipe: String
    var build_args: String
    var assets: String
    var image_class: String
  }

  static func legs(_ composition: Composition, _ machine: Machine) -> Set<Leg> {
    Set(
      composition.services.compactMap { service in
        guard case .built(let build) = service.provenance else { return nil }
        return Leg(
          service_name: service.name.text, recipe: build.recipe?.text ?? "",
          build_args: build.arguments.joined(separator: " "), assets: build.assets(for: machine).joined(separator: "\n"),
          image_class: service.imageClass)
      })
  }

  @Test(arguments: Fixtures().load(Table.self, "hostapp/merge-cases.json").cases)
  func mergesAsTheTableSays(_ row: Case) throws {
    let base = row.base.map { CompositionDocument(value: $0, file: "base") }
    let overlay = row.overlay.map { CompositionDocument(value: $0, file: "overlay") }
    if let rule = (row.farmShould ?? row.upstream).error {
      let error = #expect(throws: PlanningError.self) { try Composition.merge(base: base, overlay: overlay) }
      guard case .composition(_, _, _, let found, _) = try #require(error) else { return #expect(Bool(false), "\(error!)") }
      #expect(found.rawValue == rule)
      return
    }
    let composition = try Composition.merge(base: base, overlay: overlay)
    #expect(composition.document == row.upstream.merged)
    #expect(Self.legs(composition, try Machine(row.machine)) == Set(row.upstream.matrix ?? []))
    #expect(try CanonicalJSON.decode(Composition.self, from: CanonicalJSON.encode(composition)) == composition)
  }

  static func document(_ path: String) throws -> CompositionDocument { try .parse(Fixtures().bytes("hostapp/" + path), file: path) }

  @Test func readsTheRealFiles() throws {
    let base = try Self.document("meta-balena/hostapp.yml")
    let four = try Composition.merge(base: base, overlay: Self.document("overlays/raspberrypi4-64.hostapp.yml"))
    let expected = try JSONDecoder().decode(CompositionValue.self, from: Data(Fixtures().bytes("hostapp/merged-raspberrypi4-64.json")))
    #expect(four.document == expected)
    #expect(four.files == [try BlockName("hostapp"): "meta-balena/hostapp.yml", try BlockName("tracing"): "overlays/raspberrypi4-64.hostapp.yml"])
    let five = try Composition.merge(base: base, overlay: Self.document("overlays/raspberrypi5.hostapp.yml"))
    let row = try #require(Fixtures().load(Table.self, "hostapp/merge-cases.json").cases.first { $0.name == "base + raspberrypi5 overlay" })
    #expect(five.document == row.upstream.merged)
    #expect(five.services.map(\.name.text) == ["debug", "hostapp", "kernel-modules"] && five.hostapp.name.text == "hostapp")
  }

  struct Substitutions: Decodable {
    struct Row: Decodable {
      var place: String
      var input: String
      var out: String
      enum CodingKeys: String, CodingKey {
        case out
        case place = "where"
        case input = "in"
      }
    }
    var deviceRepoRev: String
    var machine: String
    var cases: [Row]
  }

  /// `services.hostapp.labels["x"]`, `services.hostapp.x-build.assets[0]` as keys.
  static func keys(_ place: String) -> [String] {
    place.replacing("[\"", with: "\u{1}").replacing("\"]", with: "").replacing("]", with: "").split(separator: "\u{1}").enumerated().flatMap {
      index, part in
      index == 0 ? part.replacing("[", with: ".").split(separator: ".").map(String.init) : [String(part)]
    }
  }

  static func put(_ text: String, at keys: ArraySlice<String>, in value: CompositionValue) -> CompositionValue {
    guard let key = keys.first else { return .text(text) }
    if Int(key) != nil { return .list([put(text, at: keys.dropFirst(), in: .map([:]))]) }
    var map = value.map ?? [:]
    map[key] = put(text, at: keys.dropFirst(), in: map[key] ?? .map([:]))
    return .map(map)
  }

  static func get(_ keys: ArraySlice<String>, of value: CompositionValue?) -> String? {
    guard let key = keys.first else { return value?.text }
    if let index = Int(key), case .list(let list)? = value { return get(keys.dropFirst(), of: list[index]) }
    return get(keys.dropFirst(), of: value?[key])
  }

  @Test func substitutesAsTheTableSays() throws {
    let table = Fixtures().load(Substitutions.self, "hostapp/substitution-cases.json")
    let machine = try Machine(table.machine)
    let base = try Self.document("meta-balena/hostapp.yml")
    #expect(table.cases.count == 7)
    for row in table.cases {
      let keys = Self.keys(row.place)
      let document = CompositionDocument(value: Self.put(row.input, at: keys[...], in: base.value), file: "f")
      if row.out.hasPrefix("error") {
        #expect(throws: PlanningError.self, "\(row.place)") { try Composition.merge(base: document, overlay: nil) }
        continue
      }
      let composition = try Composition.merge(base: document, overlay: nil)
      if keys.contains("assets") {
        guard case .built(let build) = composition.hostapp.provenance else { return #expect(Bool(false)) }
        #expect(build.assets(for: machine)[0] == row.out)
      } else {
        let document = composition.document(with: [], revision: table.deviceRepoRev)
        // Images take their place when a release is made.
        let expected = row.out == "<loaded image reference>" ? Composition.Placeholder.output : row.out
        #expect(Self.get(keys[...], of: document) == expected, "\(row.place)")
      }
    }
  }

  @Test func nullsBelowServicesStayWhatTheyAre() throws {
    let text = """
      services:
        hostapp: {image: __BUILD_OUTPUT__, x-build: {}, labels: {io.balena.image.class: hostapp, gone: null, a: 1.10, b: no, c: true}, environment: {A: }}
        j: {image: "ghcr.io/x/j:1", x-build: null}
      volumes: {data: }
      """
    let composition = try Composition.merge(base: .parse(Array(text.utf8), file: "f"), overlay: nil)
    #expect(
      composition.document["volumes"] == .map(["data": .null]) && composition.document["services"]?["hostapp"]?["environment"] == .map(["A": .null]))
    #expect(composition.hostapp.labels == ["io.balena.image.class": "hostapp", "a": "1.10", "b": "no", "c": "true"])
    #expect(composition.document["services"]?["j"]?["x-build"] == nil)
    #expect(composition.services[1].provenance == .registry(reference: "ghcr.io/x/j:1"))
  }

  @Test(
    arguments: [
      ("2.4", .number(2.4)), ("'2.4'", .text("2.4")), ("no", .text("no")), ("22:22", .text("22:22")), ("0x1f", .integer(31)), ("0o17", .integer(15)),
      ("-7", .integer(-7)), ("+7", .integer(7)), ("1e3", .number(1000)), ("1.2.3", .text("1.2.3")), ("~", .null), ("", .null),
      ("2024-01-01", .text("2024-01-01")), ("TRUE", .flag(true)), ("!!str 1", .text("1")), ("|-\n    1", .text("1")),
    ] as [(String, CompositionValue)])
  func readsScalars(_ text: String, _ expected: CompositionValue) throws {
    let document = try CompositionDocument.parse(Array("y:\n  z: \(text)\n".utf8), file: "f")
    #expect(document.value["y"]?["z"] == expected)
  }

  @Test(arguments: [
    ("ubuntu", true), ("ghcr.io/balena-os/journald-overlay:1.2.3", true), ("localhost:5000/a/b:t", true),
    ("a/b@sha256:" + String(repeating: "a", count: 64), true),
    ("a b", false), ("", false), ("A/b", false), ("a:b:c", false), ("a@sha256:12", false), ("$IMAGE", false), ("-x", false), ("a//b", false),
    ("a:", false),
    ("http://x/y", false),
  ])
  func readsReferences(_ text: String, _ isGood: Bool) { #expect(((try? ImageReference(familiar: text)) != nil) == isGood, "\(text)") }
}
