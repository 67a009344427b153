import BuildModel
import Foundation
import TestFiles
import TestGolden
import Testing

@testable import Planning

/// Where blocks come from: packages, Dockerfiles, image recipes and registries.
@Suite struct BlockOriginTests {
  static let base = """
    version: '2.4'
    services:
      hostapp:
        image: __BUILD_OUTPUT__
        x-build: {}
        labels: {io.balena.image.class: hostapp, io.balena.private.hostapp.board-rev: __DEVICE_REPO_REV__}
    """
  static let overlay = """
    services:
      debug:
        image: __BUILD_OUTPUT__
        profiles: [debug]
        labels: {io.balena.image.class: overlay, board: __DEVICE_REPO_REV__}
        x-build: {recipe: acme-debug, build_args: [-t, layers/x], assets: [images/__MACHINE__/debug.txt]}
      journal: {image: "registry.example/journal:1.2", labels: {io.balena.image.store: data}}
    """

  static func repository(_ contracts: [Contract] = [], overlay: String? = overlay, image: [String] = ["balena-image"]) throws -> DeviceRepository {
    try PlannerTests.repository(
      "r", [PlannerTests.deviceType("board", machine: "acme", image: image), PlannerTests.deviceType("other")], contracts: contracts,
      compositions: CompositionFiles(
        base: .parse(Array(base.utf8), file: "layers/meta-balena/hostapp.yml"),
        overlays: overlay.map { ["acme": try .parse(Array($0.utf8), file: "acme.hostapp.yml")] } ?? [:]))
  }

  static func plan(
    _ blocks: String?, _ repository: DeviceRepository, machines: [String] = ["board"], builder: PlanRequest.Builder = .packages,
    layering: Layering = .single, only: PlanRequest.Only = .everything, allowsDevices: Bool = false
  ) throws -> Plan {
    try Planner.plan(
      PlanRequest(
        machines: machines, all: false, architectures: [], repositories: [], blocks: .init(blocks), builder: builder, layering: layering, only: only,
        allowsDevices: allowsDevices), repositories: [repository])
  }

  @Test func servicesAreBlocks() throws {
    let task = try Self.plan("all", Self.repository([PlannerTests.contract("firmware")])).tasks[0]
    #expect(task.blocks.map(\.name.text) == ["debug", "firmware", "journal"], "the hostapp is what the device type builds")
    #expect(
      task.blocks[0].origin == .recipe(try RecipeName("acme-debug"), arguments: ["-t", "layers/x"], assets: ["images/acme/debug.txt"]))
    #expect(task.blocks[0].labels == ["io.balena.image.class": "overlay", "board": "aaaaaaa"] && task.blocks[0].recipes.isEmpty)
    #expect(task.blocks[2].origin == .registry(reference: "registry.example/journal:1.2") && task.blocks[2].packages.isEmpty)
    #expect(task.blocks[2].reference == "local/board-journal:6.1.24_rev3" && task.blocks[2].platform == Architecture.aarch64.platform)
    #expect(task.recipes.map(\.text) == ["firmware"], "image recipes are no part of the feed")
    #expect(task.composition?.services.count == 3 && task.composition?.document["services"]?["debug"]?["profiles"] == .list([.text("debug")]))
    #expect(task.builtBlocks.map(\.name.text) == ["debug", "firmware"])
    let attempt = AttemptID(request: RequestID(now: .now), slug: task.slug, number: 1)
    #expect(
      task.spec(attempt: attempt, limits: Limits(), buildsBlocks: true, buildsSystem: true).blocks.count == 2,
      "a worker never sees a registry's image")
  }

  @Test func aServiceIsABlockOfItsMachineAlone() throws {
    let repository = try Self.repository()
    #expect(try Self.plan("journal", repository).tasks[0].blocks.map(\.name.text) == ["journal"])
    let both = try Self.plan("debug:journal", repository, machines: ["board", "other"])
    #expect(both.tasks.map(\.blocks.count) == [2, 0])
    #expect(both.tasks[1].notices.contains("block debug is left out: other of repository r has no such block"))
    #expect(both.tasks[1].composition?.services.map(\.name.text) == ["hostapp"])
    let unknown = #expect(throws: PlanningError.self) { try Self.plan("debgu", repository) }
    #expect(unknown?.description == "unknown block 'debgu'; known: debug")
    #expect(throws: PlanningError.self) { try Self.plan("hostapp", repository) }
    #expect(try PlannerTests.repository("r", [PlannerTests.deviceType("x")]).compositions.composition(for: PlannerTests.deviceType("x")) == nil)
  }

  @Test func aNameMeansOneBlock() throws {
    for contract in [
      try PlannerTests.contract("journal", file: "contracts/j/contract.json"),
      try PlannerTests.contract("log", aliases: "\"journal\"", file: "contracts/j/contract.json"),
    ] {
      try Golden.checkDescription("plan-duplicate-block", #expect(throws: PlanningError.self) { try Self.plan(nil, Self.repository([contract])) })
    }
    // Where the machine has no such service, nothing clashes.
    #expect(try Self.plan("journal", Self.repository([PlannerTests.contract("journal")]), machines: ["other"]).tasks[0].blocks.count == 1)
  }

  @Test func theImageOfTheDeviceTypeIsNoBlock() throws {
    let overlay = "services: {x: {image: __BUILD_OUTPUT__, x-build: {recipe: acme-image}}}"
    #expect(try Self.plan("x", Self.repository(overlay: overlay)).tasks[0].blocks.count == 1)
    #expect(throws: PlanningError.self) { try Self.plan("x", Self.repository(overlay: overlay, image: ["acme-image"])) }
  }

  @Test func aDockerfileBesideTheContractIsUsed() throws {
    try withScratchDirectory { scratch in
      let sample = try TemporaryRepository.sample(in: scratch, tag: nil)
      let head = { (slug: String, parts: String) in #"{"slug": "\#(slug)", "type": "sw.image.overlay", "composedOf": [\#(parts)]}"# }
      try sample.write("contracts/own/contract.json", head("own", #"{"type": "sw.recipe.yocto", "slug": "tool"}"#))
      try sample.write("contracts/own/Dockerfile", "FROM scratch\n")
      try sample.write("contracts/template/contract.json", head("template", ""))
      try sample.write("contracts/template/Dockerfile.template", "FROM scratch\n")
      try sample.write("contracts/bare/contract.json", head("bare", ""))
      try sample.write(
        "contracts/both/contract.json", head("both", #"{"type": "sw.recipe.yocto", "slug": "r"}, {"type": "sw.package.yocto.ipk", "slug": "p"}"#))
      try sample.write("contracts/both/Dockerfile", "FROM scratch\n")
      try sample.write("layers/meta-balena/hostapp.yml", Self.base)
      try sample.write("acme.hostapp.yml", Self.overlay)
      try sample.write("nobody.hostapp.yml", "services: {}")
      try sample.write("VERSION", "6.1.24+rev3\n")
      try sample.commit()
      try sample.git("tag", "v6.1.24+rev3")
      let repository = try sample.read()
      #expect(repository.notices == ["nobody.hostapp.yml is not used: the repository has no device type of machine nobody"])
      let plan = try Self.plan(
        "all", repository, machines: ["acme"], builder: .dockerfile(baseImage: "opkg:1"), layering: .byArchitecture, allowsDevices: true)
      let task = plan.tasks[0]
      #expect(task.blocks.map(\.name.text) == ["both", "debug", "journal", "own"])
      let own: RelativePath? = RelativePath("contracts/own")
      #expect(task.blocks[3].origin == .dockerfile(directory: own, baseImage: nil))
      #expect(task.blocks[0].origin == .dockerfile(directory: nil, baseImage: "opkg:1") && task.recipes.map(\.text) == ["r", "tool"])
      #expect(task.blocks.allSatisfy { $0.allowsDevices && $0.layering == .single })
      try Golden.checkDescription("plan-dockerfile-notices", task.notices.joined(separator: "\n"))
      let lines = plan.explanations.flatMap(\.lines).joined(separator: "\n")
      try Golden.checkDescription("explain-origins", lines, replacing: [sample.path: "<path>"])
      #expect(throws: PlanningError.self) { try Self.plan("template", repository, machines: ["acme"]) }
      try sample.write("acme.hostapp.yml", "services: {a: {}}")
      try sample.commit()
      let broken = #expect(throws: PlanningError.self) { try Self.plan(nil, sample.read(), machines: ["acme"]) }
      #expect(broken?.description.hasPrefix(sample.path + "/acme.hostapp.yml:1: service 'a': ") == true)
    }
  }

  @Test func layersAreChosenForPackages() throws {
    let blocks = try Self.plan("all", Self.repository([PlannerTests.contract("firmware")]), layering: .byArchitecture).tasks[0].blocks
    #expect(blocks.map(\.layering) == [.single, .byArchitecture, .single] && !blocks.contains(where: \.allowsDevices))
  }

  @Test func onlyBlocks() throws {
    let repository = try Self.repository([PlannerTests.contract("firmware")], image: [])
    #expect(try Self.plan("all", repository).skipped.map(\.reason) == ["its manifest names no image to build"])
    let plan = try Self.plan("all", repository, only: .blocks)
    #expect(plan.tasks.map(\.slug.text) == ["board"] && plan.tasks[0].system == nil && plan.tasks[0].blocks.count == 3 && plan.skipped.isEmpty)
    #expect(plan.tasks[0].systemKey == nil && plan.tasks[0].blocksKey(compressor: "c") != nil)
    let some = try Self.plan("journal", repository, machines: ["board", "other"], only: .blocks)
    #expect(
      some.tasks.map(\.slug.text) == ["board"] && some.skipped.map(\.reason) == ["block journal is left out: other of repository r has no such block"]
    )
    try Golden.checkDescription("plan-only-blocks-of-none", #expect(throws: PlanningError.self) { try Self.plan(nil, repository, only: .blocks) })
  }

  @Test func onlyTheImage() throws {
    let task = try Self.plan("all", Self.repository([PlannerTests.contract("firmware")]), only: .image).tasks[0]
    #expect(task.blocks.isEmpty && task.recipes.isEmpty && task.system != nil && task.composition != nil && task.notices.isEmpty)
  }
}
