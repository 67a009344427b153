import BuildModel
import CanonicalJSON
import Foundation
import TestGolden
import Testing

@testable import Planning

@Suite struct PlannerTests {
  /// A repository as reading it would give it.
  static func repository(
    _ name: String, _ types: [DeviceType], contracts: [Contract] = [], compositions: CompositionFiles = CompositionFiles(),
    version: String = "6.1.24+rev3", isRelease: Bool = true, isDirty: Bool = false, notices: [String] = []
  ) throws -> DeviceRepository {
    let commit = try #require(CommitID(String(repeating: "a", count: 40)))
    let mirror = MirrorName.of(name)
    var listing = RepositoryListing(name: name)
    listing.deviceTypes = types
    return DeviceRepository(
      source: RepositorySource(name: name, path: "/src/" + name, driver: .barys, contracts: ["contracts"]), listing: listing, contracts: contracts,
      compositions: compositions,
      checkout: SourceSpec(
        repository: name, root: SourceTree(mirror: mirror, commit: commit, tags: ["v" + version]), submodules: [], isDirty: isDirty),
      version: try #require(OSVersion(version)), isRelease: isRelease, commitTime: 1_700_000_000,
      locations: [.init(mirror: mirror, path: "/src/" + name)], notices: notices)
  }

  static func deviceType(
    _ slug: String, machine: String? = nil, file: String? = nil, aliases: [String] = [], arch: Architecture = .aarch64,
    state: DeviceType.State = .released, image: [String] = ["balena-image"], codename: String = "kirkstone"
  ) throws -> DeviceType {
    DeviceType(
      slug: try Slug(slug), aliases: aliases, name: slug, arch: arch, state: state,
      yocto: .init(
        machine: try Machine(machine ?? slug), image: try image.map { try RecipeName($0) }, fstype: "balenaos-img", codename: codename,
        deployArtifact: "balena-image-\(machine ?? slug).balenaos-img", deployFlasherArtifact: nil, deployRawArtifact: nil, compressed: true,
        archive: false), file: file ?? machine ?? slug)
  }

  static func contract(
    _ slug: String, type: String = "sw.image.overlay", requires: String = "", aliases: String = "", data: String = "{}", file: String? = nil,
    composedOf: String? = nil
  ) throws -> Contract {
    let parts = composedOf ?? #"{"type": "sw.recipe.yocto", "slug": "\#(slug)"}, {"type": "sw.package.yocto.ipk", "slug": "\#(slug)-data"}"#
    let text =
      #"{"slug": "\#(slug)", "type": "\#(type)", "aliases": [\#(aliases)], "data": \#(data), "requires": [\#(requires)], "composedOf": [\#(parts)]}"#
    return try Contract.parse(Array(text.utf8), file: file ?? "contracts/\(slug)/contract.json")
  }

  static func arm() throws -> DeviceRepository {
    try repository(
      "arm",
      [
        deviceType("acme-board64"), deviceType("acme-board7", arch: .armv7hf), deviceType("acme-module"),
        deviceType("acme-module-sb", machine: "acme-module", file: "acme-module-sb"),
        deviceType("acme-retired", arch: .armv7hf, state: .discontinued), deviceType("acme-logo", image: []),
        deviceType("lefty", machine: "twin", file: "l"), deviceType("righty", machine: "twin", file: "r"),
      ],
      contracts: [
        contract("firmware", aliases: "\"fw\""), contract("gpu", requires: #"{"type": "hw.device-type", "slug": "acme-board64"}"#),
        contract("future", requires: #"{"type": "sw.os", "slug": "balenaos", "externalVersion": ">=7"}, {"type": "arch.sw", "slug": "rpi"}"#),
        contract("overlay", type: "sw.image", data: #"{"store": "data", "reboot-required": "1"}"#),
        contract("service", type: "sw.image", data: #"{"store": "data", "reboot-required": "0"}"#),
        contract("acme-board64", type: "hw.device-type", aliases: "\"board\""),
      ], notices: ["a word on the checkout"])
  }

  static func x86() throws -> DeviceRepository {
    try repository(
      "x86",
      [
        deviceType("acme-pc", machine: "acme-x86-64", file: "acme-x86-64", aliases: ["pc", "acme-pc"], arch: .amd64),
        deviceType("acme-board64", arch: .amd64),
      ], contracts: [contract("diagnostics", type: "sw.image.service")], isRelease: false)
  }

  func plan(
    _ machines: [String] = [], all: Bool = false, arch: [Architecture] = [], repositories: [String] = [], blocks: String? = nil,
    _ known: [DeviceRepository]? = nil
  ) throws -> Plan {
    try Planner.plan(
      PlanRequest(machines: machines, all: all, architectures: arch, repositories: repositories, blocks: .init(blocks)),
      repositories: try known ?? [Self.arm(), Self.x86()])
  }

  @Test(arguments: [
    ("acme-pc", "acme-pc"), ("acme-x86-64", "acme-pc"), ("pc", "acme-pc"), ("acme-module", "acme-module"), ("acme-module-sb", "acme-module-sb"),
    ("l", "lefty"),
  ])
  func findsADeviceTypeByAnyName(_ text: String, _ slug: String) throws {
    #expect(try plan([text]).tasks.map(\.slug.text) == [slug])
  }

  @Test func selectsByFilter() throws {
    #expect(
      try plan(all: true).tasks.map(\.slug.text) == ["acme-board64", "acme-board7", "acme-module", "acme-module-sb", "acme-pc", "lefty", "righty"])
    #expect(try plan(arch: [.armv7hf, .amd64]).tasks.map(\.slug.text) == ["acme-board7", "acme-pc"])
    #expect(try plan(["acme-pc", "acme-x86-64", "acme-board7"], arch: [.amd64]).tasks.map(\.slug.text) == ["acme-pc"])
  }

  @Test func theNewerVersionWinsUnlessARepositoryIsNamed() throws {
    let both = try plan(["acme-board64"])
    #expect(both.tasks.map(\.deviceType.arch) == [.aarch64])
    let equal = "device type acme-board64 is defined in arm (6.1.24+rev3) and in x86 (6.1.24+rev3); arm is used: it is listed first"
    #expect(both.notices.contains(equal + " ('preferred: true' in farm.yaml chooses another one)"))
    let newer = try plan(
      ["b"], [Self.repository("old", [Self.deviceType("b")]), Self.repository("new", [Self.deviceType("b")], version: "6.1.24+rev10")])
    #expect(newer.tasks.map(\.source.repository) == ["new"])
    let notice = "device type b is defined in old (6.1.24+rev3) and in new (6.1.24+rev10); new is used: its version is newer"
    #expect(newer.notices == [notice + " ('preferred: true' in farm.yaml chooses another one)"])
    var old = try Self.repository("old", [Self.deviceType("b")])
    old.listing.isPreferred = true
    let preferred = try plan(["b"], [Self.repository("new", [Self.deviceType("b")], version: "7.0.0"), old])
    #expect(preferred.tasks.map(\.source.repository) == ["old"])
    #expect(preferred.notices == ["device type b is defined in new (7.0.0) and in old (6.1.24+rev3); old is used: the configuration prefers it"])
    let named = try plan(["acme-board64"], repositories: ["x86"])
    #expect(named.tasks.map(\.deviceType.arch) == [.amd64] && named.notices.isEmpty)
    #expect(try plan(repositories: ["x86"]).tasks.map(\.slug.text) == ["acme-board64", "acme-pc"])
  }

  @Test func skipsWithAWord() throws {
    let plan = try plan(["acme-retired", "acme-logo", "acme-board7"])
    #expect(plan.tasks.map(\.slug.text) == ["acme-board7"])
    #expect(plan.skipped.map { "\($0.slug) \($0.reason)" } == ["acme-logo its manifest names no image to build", "acme-retired is discontinued"])
    #expect(plan.notices == ["repository arm: a word on the checkout"])
  }

  @Test func plansBlocksThatFit() throws {
    let plan = try plan(["acme-board64", "acme-board7"], blocks: "gpu:fw")
    let board64 = try #require(plan.tasks.first)
    #expect(board64.blocks.map(\.name.text) == ["gpu", "firmware"] && board64.recipes.map(\.text) == ["gpu", "firmware"])
    #expect(board64.notices.isEmpty)
    let block = board64.blocks[1]
    #expect(block.reference == "local/acme-board64-firmware:6.1.24_rev3" && block.platform.description == "linux/arm64/v8")
    #expect(block.packages.map(\.text) == ["firmware-data"])
    #expect(
      block.labels == [
        "io.balena.image.class": "overlay", "io.balena.image.store": "data", "io.balena.update.requires-reboot": "1",
        "io.balena.image.requires-reboot": "1",
      ])
    #expect(plan.tasks[1].blocks.map(\.name.text) == ["firmware"])
    #expect(plan.tasks[1].notices == ["block gpu is left out: needs device type acme-board64, this is acme-board7"])
    #expect(plan.locations.map(\.path) == ["/src/arm"])
  }

  @Test func plansAllBlocksOrNone() throws {
    #expect(try plan(["acme-board64"]).tasks[0].blocks.isEmpty)
    #expect(try plan(["acme-board64"], blocks: "").tasks[0].blocks.isEmpty)
    let all = try plan(["acme-board64"], blocks: "all").tasks[0]
    #expect(all.blocks.map(\.name.text) == ["firmware", "gpu"])
    #expect(all.notices == ["block future is left out: needs balenaOS >=7, this is 6.1.24+rev3; needs architecture rpi, this is aarch64"])
  }

  @Test func aBlockOfOneRepositoryDoesNotFailTheOther() throws {
    // By its alias, too: the other repository does not know it.
    for name in ["firmware", "fw"] {
      let plan = try plan(["acme-board64", "acme-pc"], blocks: name)
      #expect(plan.tasks.map(\.blocks.count) == [1, 0])
      #expect(plan.tasks[1].notices.first == "block \(name) is left out: repository x86 has no such block")
    }
  }

  @Test func takesDefaultsFromTheClass() throws {
    #expect(try plan(["acme-pc"], blocks: "diagnostics").tasks[0].blocks[0].labels["io.balena.update.requires-reboot"] == "0")
    let own = try Self.contract("own", data: #"{"store": "root", "reboot-required": "0"}"#)
    let labels = own.imageLabels(
      defaults: try Self.contract("overlay", type: "sw.image", data: #"{"store": "data", "reboot-required": "1"}"#))
    #expect(labels["io.balena.image.store"] == "root" && labels["io.balena.image.requires-reboot"] == "0")
  }

  @Test func marksWhatIsNoRelease() throws {
    let task = try plan(["acme-pc"]).tasks[0]
    #expect(!task.isRelease && task.notices == ["not a release: the commit is not the tag 6.1.24+rev3"])
    let dirty = try Self.repository("d", [Self.deviceType("x")], isRelease: false, isDirty: true)
    #expect(try plan(["x"], [dirty]).tasks[0].notices == ["not a release: it is built with uncommitted changes"])
  }

  @Test func readsBlockLists() {
    #expect(PlanRequest.Blocks("a:b,c d") == .named(["a", "b", "c", "d"]))
    #expect(PlanRequest.Blocks("all") == .all && PlanRequest.Blocks(nil) == .none && PlanRequest.Blocks(" : ") == .none)
  }

  @Test(
    arguments: [
      ("unknown-device", ["acme-bord64"], nil), ("unknown-nothing-near", ["zzzzzzzzzzzz"], nil), ("ambiguous-machine", ["twin"], nil),
      ("unknown-block", ["acme-board64"], "firmwre"), ("unknown-block-nothing-near", ["acme-board64"], "zzzzzzzzzzzz"),
      ("block-fits-none", ["acme-board64", "acme-board7"], "future:firmware"), ("block-alias-fits-none", ["lefty"], "gpu"),
    ] as [(String, [String], String?)])
  func refusesNames(_ golden: String, _ machines: [String], _ blocks: String?) throws {
    try Golden.checkDescription("plan-" + golden, #expect(throws: PlanningError.self) { try plan(machines, blocks: blocks) })
  }

  @Test func refusesSelectionsOfNothing() throws {
    try Golden.checkDescription("plan-nothing-selected", #expect(throws: PlanningError.self) { try plan() })
    try Golden.checkDescription("plan-no-such-arch", #expect(throws: PlanningError.self) { try plan(arch: [.i386]) })
    try Golden.checkDescription("plan-unknown-repository", #expect(throws: PlanningError.self) { try plan(repositories: ["amr"]) })
    try Golden.checkDescription("plan-no-repositories", #expect(throws: PlanningError.self) { try plan(all: true, []) })
  }

  @Test(arguments: [
    ("no-package", #"{"type": "sw.recipe.yocto", "slug": "r"}"#), ("no-recipe", #"{"type": "sw.package.yocto.ipk", "slug": "p"}"#),
    ("glob", #"{"type": "sw.recipe.yocto", "slug": "r"}, {"type": "sw.package.yocto.ipk", "slug": "linux-firmware-*"}"#),
    ("option", #"{"type": "sw.recipe.yocto", "slug": "-k"}, {"type": "sw.package.yocto.ipk", "slug": "p"}"#),
  ])
  func refusesBlocksThatCannotBeBuilt(_ name: String, _ composedOf: String) throws {
    let repository = try Self.repository("r", [Self.deviceType("x")], contracts: [Self.contract("b", composedOf: composedOf)])
    try Golden.checkDescription("plan-block-" + name, #expect(throws: PlanningError.self) { try plan(["x"], blocks: "b", [repository]) })
    #expect(try plan(["x"], [repository]).tasks.count == 1, "nobody asked for it")
  }

  @Test func refusesTwoContractsOfOneName() throws {
    let twice = try Self.repository(
      "r", [Self.deviceType("x")],
      contracts: [
        Self.contract("b", file: "contracts/one/contract.json"), Self.contract("b", type: "sw.image.service", file: "contracts/two/contract.json"),
      ])
    try Golden.checkDescription("plan-duplicate-contract", #expect(throws: PlanningError.self) { try plan(["x"], blocks: "b", [twice]) })
    // Nothing depends on it here; where everything is meant it is missed.
    #expect(try plan(["x"], [twice]).complaints.isEmpty && plan(["x"], [twice]).tasks.count == 1)
    let all = try plan(["x"], blocks: "all", [twice])
    #expect(all.tasks.map(\.isRelease) == [false] && all.problems.count == 1 && all.problems[0].hasPrefix("two block contracts"))
    let alias = try Self.repository(
      "r", [Self.deviceType("x")], contracts: [Self.contract("b", aliases: "\"z\""), Self.contract("c", aliases: "\"z\"")])
    try Golden.checkDescription("plan-duplicate-alias", #expect(throws: PlanningError.self) { try plan(["x"], blocks: "z", [alias]) })
    #expect(try plan(["x"], blocks: "c", [alias]).tasks[0].blocks.count == 1)
    // A repository that has no part in the request does not matter.
    #expect(try plan(["acme-pc"], [try Self.x86(), twice]).tasks.count == 1)
  }

  @Test func knowsTheAliasesOfTheDeviceTypesOwnContract() throws {
    let repository = try Self.repository(
      "r", [Self.deviceType("x")],
      contracts: [
        Self.contract("x", type: "hw.device-type", aliases: "\"board\""),
        Self.contract("b", requires: #"{"type": "hw.device-type", "slug": "board"}"#),
      ])
    #expect(try plan(["x"], blocks: "b", [repository]).tasks[0].blocks.count == 1)
  }

  @Test func aPlanSurvivesJSON() throws {
    let plan = try plan(all: true, blocks: "all")
    #expect(try CanonicalJSON.decode(Plan.self, from: CanonicalJSON.encode(plan)) == plan)
  }

  /// Every device type there is, in its repositories: all that are not discontinued become tasks, slug by slug.
  @Test func plansTheWholeMatrix() throws {
    let repositories = try Dictionary(grouping: Fixture.rows, by: \.repository).sorted { $0.key < $1.key }.map { name, rows in
      try Self.repository(
        name,
        rows.map { row in
          try ManifestFields.coffee(Array(row.coffee(indent: "\t", quote: "'").utf8), path: row.manifest).deviceType(
            file: row.file, path: row.manifest)
        })
    }
    let plan = try plan(all: true, repositories)
    #expect(plan.tasks.count + plan.skipped.count == 144)
    #expect(Set(plan.tasks.map(\.slug)).count == plan.tasks.count)
    #expect(plan.notices.filter { $0.contains("is defined in") }.count == 6)
    for row in Fixture.rows where !plan.skipped.contains(where: { $0.slug.text == row.slug }) {
      #expect(plan.tasks.contains { $0.slug.text == row.slug }, "\(row.slug)")
    }
  }
}
