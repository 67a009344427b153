import BuildModel
import TestFiles
import TestGolden
import Testing

@testable import Planning

/// The three generations of block contracts, as they were published.
@Suite struct GenerationTests {
  static func contracts(_ set: String, _ roots: [String] = ["contracts"]) throws -> ContractFiles {
    var files = ContractFiles(root: Fixtures().path("contracts/" + set))
    for root in roots { files.collect(below: root) }
    return files
  }

  static func plan(
    _ set: String, _ roots: [String] = ["contracts"], blocks: String, codename: String = "dunfell", version: String = "2.58.6+rev2",
    explaining: Bool = false
  ) throws -> Plan {
    let repository = try PlannerTests.repository(
      "r", [PlannerTests.deviceType("jetson-tx2", codename: codename)], contracts: contracts(set, roots).found, version: version)
    return try Planner.plan(
      PlanRequest(machines: ["jetson-tx2"], all: false, architectures: [], repositories: [], blocks: .init(blocks), isExplaining: explaining),
      repositories: [repository])
  }

  @Test func theFirstIsFoundByItsShape() throws {
    var files = ContractFiles(root: Fixtures().path("contracts"))
    files.collect(below: "balenaos-contracts-2020-11")
    #expect(files.found.map(\.slug) == ["linux-firmware", "tegra-gpu"] && files.notices.isEmpty)
    let gpu = files.found[1]
    #expect(gpu.isBlock && gpu.imageClass == "overlay" && gpu.packages.count == 15 && gpu.recipes.isEmpty)
    #expect(gpu.requires.map { $0.anyOf.compactMap(\.atom?.slug) } == [["jetson-tx2"], ["aarch64"]], "no version is asked for")
    #expect(files.found[0].requires.map { $0.anyOf.compactMap(\.atom?.version) } == [["2.58.6+rev2"]], "any device type, any architecture")
    // The table of cases lies there too, and is no contract.
    files.collect(below: ".")
    #expect(!files.found.contains { $0.file.hasSuffix("match-cases.json") })
  }

  @Test func theFirstAndTheSecondNameNoRecipe() throws {
    let first = #expect(throws: PlanningError.self) { try Self.plan(".", ["balenaos-contracts-2020-11"], blocks: "tegra-gpu") }
    try Golden.checkDescription("generation-1-no-recipe", first, replacing: [Fixtures().path("contracts"): "<contracts>"])
    let second = #expect(throws: PlanningError.self) { try Self.plan("balenaos-contracts-2021-03", blocks: "tegra-gpu") }
    try Golden.checkDescription("generation-2-no-recipe", second, replacing: [Fixtures().path("contracts"): "<contracts>"])
  }

  /// Its list names a target, and the list's own requirements count.
  @Test func theSecondIsBuiltWhereItNamesATarget() throws {
    let plan = try Self.plan("balenaos-contracts-2021-03", blocks: "all")
    let task = try #require(plan.tasks.first)
    #expect(task.blocks.map(\.name.text) == ["firmware"] && task.recipes.map(\.text) == ["linux-firmware"])
    #expect(task.blocks[0].packages.count > 100 && task.blocks[0].packages[0].text == "linux-firmware-adsp-sst")
    #expect(task.notices.count == 1 && task.notices[0].hasPrefix("block tegra-gpu is left out: block tegra-gpu lists no recipe"))
    let newer = #expect(throws: PlanningError.self) { try Self.plan("balenaos-contracts-2021-03", blocks: "firmware", version: "3.0.0") }
    #expect(newer?.description.contains("needs balenaOS 2.x, this is 3.0.0") == true)
  }

  @Test func theThirdIsBuilt() throws {
    let plan = try Self.plan("balenaos-contracts", blocks: "all")
    #expect(plan.tasks[0].blocks.map(\.name.text) == ["linux-firmware", "tegra-gpu"])
    #expect(plan.tasks[0].blocks[1].recipes.count == 9 && plan.tasks[0].blocks[1].packages.count == 6)
    #expect(plan.tasks[0].blocks[0].labels["io.balena.update.requires-reboot"] == "1", "of the class overlay")
  }

  @Test(arguments: [
    ("first", ".", "balenaos-contracts-2020-11"), ("second", "balenaos-contracts-2021-03", "contracts"), ("third", "balenaos-contracts", "contracts"),
  ])
  func isExplained(_ name: String, _ set: String, _ root: String) throws {
    let plan = try Self.plan(set, [root], blocks: "", codename: "honister", explaining: true)
    let text = plan.explanations.map { $0.lines.joined(separator: "\n") }.joined(separator: "\n\n")
    try Golden.checkDescription("explain-\(name)-generation", text, replacing: [Fixtures().path("contracts"): "<contracts>"])
    #expect(plan.tasks[0].blocks.isEmpty && plan.tasks[0].recipes.isEmpty && plan.tasks[0].notices.isEmpty, "nothing was asked for")
  }

  @Test func aNamedMisfitIsExplainedInsteadOfRefused() throws {
    #expect(throws: PlanningError.self) { try Self.plan("balenaos-contracts", blocks: "tegra-gpu", codename: "honister") }
    let plan = try Self.plan("balenaos-contracts", blocks: "tegra-gpu", codename: "honister", explaining: true)
    #expect(plan.explanations.map(\.fits) == [false] && plan.explanations[0].requirements.map(\.result).contains(.unmet))
  }

  @Test func aPackageListMayBeMissingOrRequireItself() throws {
    let loop = #"{"slug": "l", "type": "sw.package", "requires": {"allOf": [{"type": "sw.package", "slug": "l"}]}}"#
    let block = try PlannerTests.contract("b", requires: #"{"type": "sw.package", "slug": "l"}"#)
    let context = { (lists: [String: Contract]) in
      ContractMatcher.Context(
        slug: try Slug("x"), aliases: [], arch: .amd64, osVersion: OSVersion("1.0.0"), codename: "kirkstone", packageLists: lists)
    }
    let missing = ContractMatcher.explain(block, against: try context([:])).flatMap(\.reasons)
    #expect(missing.map(\.text) == ["needs package list l, the repository has no sw.package contract of this name"])
    let list = try Contract.parse(Array(loop.utf8), file: "l")
    #expect(
      ContractMatcher.explain(block, against: try context(["l": list])).flatMap(\.reasons).map(\.text) == [
        "needs package list l, which requires itself"
      ])
  }

  @Test func brokenJSONAmongContractsIsTold() throws {
    try withScratchDirectory { scratch in
      let repository = try TemporaryRepository.sample(in: scratch, tag: nil)
      try repository.write("contracts/old.json", #"{"name": "old", "contents": {"packages": "all"}}"#)
      try repository.commit()
      try repository.git("tag", "v1.0.0")
      let problems = try repository.read().contractProblems.map(\.description)
      #expect(problems.count == 1 && problems[0].hasSuffix("'contents.packages' must be a list"), "\(problems)")
      try repository.write("contracts/old.json", #"{"name": "old", "contents": "#)
      try repository.write("contracts/package.json", #"{"name": "contracts", "version": "1.0.0"}"#)
      try repository.commit()
      #expect(try repository.read().notices == ["contracts/old.json:1 is not JSON, so it is no contract: a value expected, the document ends"])
    }
  }
}
