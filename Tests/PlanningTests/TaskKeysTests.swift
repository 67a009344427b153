import BuildModel
import Testing

@testable import Planning

/// A step key changes with everything that determines the result and with nothing else.
@Suite struct TaskKeysTests {
  func task() throws -> PlannedTask {
    let repositories = try [PlannerTests.arm()]
    let request = PlanRequest(machines: ["acme-board64"], all: false, architectures: [], repositories: [], blocks: .all)
    return try #require(try Planner.plan(request, repositories: repositories).tasks.first)
  }

  static let changes: [(name: String, blocks: Bool, system: Bool, change: @Sendable (inout PlannedTask) throws -> Void)] = [
    ("commit", true, true, { $0.source.root.commit = try #require(CommitID(String(repeating: "b", count: 40))) }),
    (
      "submodule", true, true,
      {
        let path = try #require(RelativePath("layers/x"))
        $0.source.submodules = [.init(path: path, tree: $0.source.root)]
      }
    ),
    ("version", true, true, { $0.osVersion = OSVersion("6.1.25")! }), ("epoch", true, true, { $0.sourceDateEpoch += 1 }),
    ("label", true, false, { $0.blocks[0].labels["x"] = "y" }), ("package", true, false, { $0.blocks[0].packages.append(try PackageName("p")) }),
    ("platform", true, false, { $0.blocks[0].platform = Architecture.amd64.platform }),
    ("recipe", true, false, { $0.recipes.append(try RecipeName("r")) }),
    ("image", false, true, { $0.system?.image = [try RecipeName("other")] }), ("raw", false, true, { $0.system?.deployRawArtifact = "r" }),
    ("development", true, true, { $0.settings.isDevelopment = true }),
    ("supervisor", true, true, { $0.settings.supervisorVersion = try SupervisorVersion("v1") }),
    ("variable", true, true, { $0.settings.variables = try AdditionalVariable.list(["A=1"]) }),
    ("shared directory", false, false, { $0.settings.sharedDirectory = "/srv/yocto" }),
    ("notice", false, false, { $0.notices.append("word") }), ("mirror", false, false, { $0.source.root.mirror = MirrorName.of("elsewhere") }),
    ("repository name", false, false, { $0.source.repository = "renamed" }),
  ]

  @Test(arguments: changes.indices)
  func changesWithItsInputs(_ index: Int) throws {
    let (name, blocks, system, change) = Self.changes[index]
    let before = try task()
    var after = before
    try change(&after)
    #expect((before.blocksKey(compressor: "c") != after.blocksKey(compressor: "c")) == blocks, "\(name)")
    #expect((before.systemKey != after.systemKey) == system, "\(name)")
  }

  @Test func dependsOnTheCompressorAndIsStable() throws {
    let task = try task()
    #expect(task.blocksKey(compressor: "a") != task.blocksKey(compressor: "b"))
    #expect(task.blocksKey(compressor: "a") == (try self.task().blocksKey(compressor: "a")) && task.blocksKey(compressor: "a") != task.systemKey)
    var none = task
    (none.blocks, none.system) = ([], nil)
    #expect(none.blocksKey(compressor: "a") == nil && none.systemKey == nil)
  }

  @Test func givesTheWorkerWhatIsToBeBuilt() throws {
    let task = try task()
    let request = RequestID(now: .now)
    let attempt = AttemptID(request: request, slug: task.slug, number: 1)
    let whole = task.spec(attempt: attempt, limits: Limits(), buildsBlocks: true, buildsSystem: true)
    #expect(whole.feed?.recipes == task.recipes && whole.blocks == task.blocks && whole.system == task.system && whole.manifestFile == "acme-board64")
    let reused = task.spec(attempt: attempt, limits: Limits(), buildsBlocks: false, buildsSystem: true)
    #expect(reused.feed == nil && reused.blocks.isEmpty && reused.system != nil)
    let blocks = task.spec(attempt: attempt, limits: Limits(), buildsBlocks: true, buildsSystem: false)
    #expect(blocks.system == nil && blocks.feed != nil)
  }
}
