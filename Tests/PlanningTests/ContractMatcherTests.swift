import BuildModel
import CanonicalJSON
import Foundation
import TestFiles
import TestGolden
import Testing

@testable import Planning

@Suite struct ContractMatcherTests {
  struct Table: Decodable, Sendable {
    var cases: [Case]
  }
  /// A row; the contract is a path or an inline object, kept as bytes.
  struct Case: Decodable, Sendable, CustomTestStringConvertible {
    var name: String
    var deviceType: String
    var osVersion: String
    var yocto: String
    var expect: Bool
    var farmShould: Bool?
    var reason: String
    var testDescription: String { name }
  }

  static let table = Fixtures().load(Table.self, "contracts/match-cases.json").cases

  /// The contracts of the rows, by row.
  static let contracts: [Contract?] = {
    guard let bytes = try? Fixtures().bytes("contracts/match-cases.json"),
      let root = try? JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any], let rows = root["cases"] as? [[String: Any]]
    else { return [] }
    return rows.map { row in
      if let path = row["contract"] as? String { return try? Contract.parse(Fixtures().bytes(path), file: path) }
      guard let object = row["contract"], let bytes = try? JSONSerialization.data(withJSONObject: object) else { return nil }
      return try? Contract.parse(Array(bytes), file: "inline")
    }
  }()

  static func context(slug: String, aliases: [String] = [], arch: Architecture, version: String, codename: String) throws -> ContractMatcher.Context {
    ContractMatcher.Context(slug: try Slug(slug), aliases: aliases, arch: arch, osVersion: OSVersion(version), codename: codename)
  }

  @Test(arguments: table.indices)
  func matchesAsTheTableSays(_ index: Int) throws {
    let row = Self.table[index]
    let contract = try #require(Self.contracts[index], "\(row.name) has a contract")
    // The name is resolved first: slug, then file, then machine.
    let known =
      Fixture.rows.first { $0.slug == row.deviceType } ?? Fixture.rows.first { $0.file == row.deviceType || $0.machine == row.deviceType }
    let context = try Self.context(
      slug: known?.slug ?? row.deviceType, aliases: known?.aliases ?? [], arch: Architecture(rawValue: known?.arch ?? "") ?? .aarch64,
      version: row.osVersion, codename: row.yocto)
    let reasons = ContractMatcher.explain(contract, against: context).flatMap(\.reasons)
    #expect(reasons.isEmpty == row.farmShould ?? row.expect, "\(row.name): \(reasons)")
    if row.reason != "ok" { #expect(reasons.contains { $0.kind.rawValue == row.reason }, "\(row.name): \(reasons)") }
  }

  func explain(_ requires: String, slug: String = "acme", aliases: [String] = [], version: String = "6.1.24+rev3") throws -> [RequirementVerdict] {
    let contract = try Contract.parse(
      Array(#"{"slug": "b", "type": "sw.image.overlay", "requires": [\#(requires)]}"#.utf8), file: "contract.json")
    return ContractMatcher.explain(
      contract, against: try Self.context(slug: slug, aliases: aliases, arch: .amd64, version: version, codename: "kirkstone"))
  }

  func reasons(_ requires: String, slug: String = "acme", aliases: [String] = [], version: String = "6.1.24+rev3") throws -> [MisfitReason] {
    try explain(requires, slug: slug, aliases: aliases, version: version).flatMap(\.reasons)
  }

  @Test func collectsEveryReason() throws {
    let found = try reasons(
      """
      {"anyOf": [{"type": "hw.device-type", "slug": "x"}, {"type": "hw.device-type", "slug": "y"}],
       "allOf": [{"type": "sw.os", "slug": "yocto", "externalVersion": "dunfell"}, {"type": "sw.os", "slug": "balena-os", "externalVersion": "2.x"}]},
      {"type": "arch.sw", "slug": "rpi"}, {"type": "sw.feature", "slug": "z"}
      """)
    #expect(found.map(\.kind) == [.yocto, .osVersion, .deviceType, .architecture, .unknown])
    try Golden.checkDescription("contract-reasons", found.map(\.text).joined(separator: "\n"))
  }

  @Test func takesAnAliasForADeviceType() throws {
    let nuc = #"{"type": "hw.device-type", "slug": "nuc"}"#
    #expect(try reasons(nuc, slug: "intel-nuc", aliases: ["nuc"]).isEmpty)
    #expect(try reasons(nuc, slug: "intel-nuc").count == 1)
  }

  @Test func anUnreadableRangeNeverAllows() throws {
    let unreadable = #"{"type": "sw.os", "slug": "balenaos", "externalVersion": "two"}"#
    #expect(try reasons(unreadable).count == 1)
    #expect(try reasons(#"{"not": [\#(unreadable)]}"#).count == 1)
    #expect(try reasons(#"{"not": [{"type": "sw.os", "slug": "balenaos", "externalVersion": "2.x"}]}"#).isEmpty)
    #expect(try reasons(#"{"not": [{"type": "sw.os", "slug": "balenaos", "externalVersion": "6.x"}]}"#).count == 1)
  }

  @Test func oneAlternativeIsEnough() throws {
    #expect(try reasons(#"{"anyOf": [{"type": "arch.sw", "slug": "rpi"}, {"type": "arch.sw", "slug": "amd64"}], "or": []}"#).isEmpty)
    #expect(try reasons(#"{"or": [{"type": "arch.sw", "slug": "rpi"}]}"#).map(\.kind) == [.architecture])
  }

  @Test func explainsWhatHoldsAndWhatDoesNot() throws {
    let verdicts = try explain(
      """
      {"anyOf": [{"type": "hw.device-type", "slug": "acme"}, {"type": "arch.sw", "slug": "rpi"}], "type": "sw.os", "slug": "yocto", "version": "kirkstone"},
      {"not": [{"type": "sw.os", "slug": "balenaos", "externalVersion": "two"}, {"allOf": [{"type": "arch.sw", "slug": "amd64"}, {"type": "arch.sw"}]}]},
      {"or": [{"anyOf": [{"type": "arch.sw", "slug": "i386"}, {"type": "hw.device-type", "data": {"arch": "amd64"}}], "allOf": []}, {"type": "sw.feature", "slug": "x"}]},
      {"type": "hw.device-type", "slug": "acme", "data": {"arch": "rpi"}}, {"type": "hw.device-type", "data": {"storage": "internal"}}, {}
      """)
    try Golden.checkDescription("explain-tree", verdicts.flatMap { $0.lines() }.joined(separator: "\n"))
    try Golden.checkDescription("explain-reasons", verdicts.flatMap(\.reasons).map(\.text).joined(separator: "\n"))
    #expect(try CanonicalJSON.decode([RequirementVerdict].self, from: CanonicalJSON.encode(verdicts)) == verdicts)
  }

  /// A block fits exactly if no reason speaks against it, whatever the tree looks like.
  @Test func reasonsAndResultAgree() throws {
    let atoms = [
      #"{"type": "arch.sw", "slug": "amd64"}"#, #"{"type": "arch.sw", "slug": "rpi"}"#,
      #"{"type": "sw.os", "slug": "balenaos", "externalVersion": "two"}"#, #"{"type": "nothing.known"}"#, "{}",
    ]
    var pool = atoms
    for key in ["allOf", "anyOf", "or", "not"] {
      for a in atoms { for b in atoms { pool.append(#"{"\#(key)": [\#(a), \#(b)]}"#) } }
    }
    for key in ["anyOf", "not", "allOf"] { for a in pool { pool.append(#"{"\#(key)": [\#(a), \#(atoms[1])]}"#) } }
    for text in pool {
      let verdicts = try explain(text)
      #expect(verdicts.allSatisfy { $0.result == .met } == verdicts.flatMap(\.reasons).isEmpty, "\(text)")
    }
    #expect(pool.count > 500)
  }
}
