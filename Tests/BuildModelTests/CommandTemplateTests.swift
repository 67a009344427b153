import BuildModel
import CanonicalJSON
import FoundationEssentials
import Testing

/// Words with placeholders, and what a spec needs.
struct CommandTemplateTests {
  private func values(targets: [String] = ["a", "b"], arguments: [String] = []) throws -> CommandTemplate.Values {
    CommandTemplate.Values(
      machine: try Machine("acme-board"), slug: try Slug("acme"), manifest: "acme-file", targets: targets, arguments: arguments,
      downloads: "/c/downloads", sharedState: "/c/sstate/acme-board", tree: "/t")
  }

  @Test func placeholdersAreFilledIn() throws {
    let template = try CommandTemplate([
      "./build.sh", "--machine={machine}", "{targets}", "-t={targets}", "{arguments}", "--", "{{literal}}", "{downloads}:{sstate}", "{tree}/{slug}",
      "",
    ])
    #expect(template.program == "./build.sh")
    #expect(
      template.arguments(try values()) == [
        "--machine=acme-board", "a", "b", "-t=a b", "--", "{literal}", "/c/downloads:/c/sstate/acme-board", "/t/acme", "",
      ])
    #expect(template.arguments(try values(targets: [], arguments: ["-a", "X=y"])).prefix(4) == ["--machine=acme-board", "-t=", "-a", "X=y"])
    #expect(template.uses(.arguments))
    #expect(try !CommandTemplate(["make", "{targets}"]).uses(.arguments))
  }

  @Test(arguments: [
    (
      ["x", "{Machine}"],
      "'{Machine}' has an unknown placeholder; known are {machine}, {slug}, {manifest}, {targets}, {arguments}, {downloads}, {sstate}, {tree}, "
        + "and '{{' for the brace itself"
    ),
    (["x", "{"], "unknown placeholder"), (["x", "a}b"], "'a}b' has a '}' without '{'"), (["x", "{{}"], "without '{'"),
    (["{tree}/x"], "'{tree}/x' names the program and can have no placeholder"), ([""], "names the program"), ([], "has no words"),
    (["x", "a\u{0}b"], "control characters"), (["x", "a\nb"], "control characters"), (["x", String(repeating: "y", count: 5000)], "is too long"),
  ])
  func whatIsNoTemplateIsRefused(_ words: [String], _ reason: String) {
    let error = #expect(throws: InvalidTemplate.self) { try CommandTemplate(words) }
    #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
  }

  @Test func theWireFormIsTheWordsAndIsCheckedAgain() throws {
    let settings = TaskSpec.OwnCommand(
      build: try CommandTemplate(["./build", "{targets}"]), architectures: .fixed(["all", "x"]), index: .withBuild,
      success: try CommandTemplate.Word("{machine} done"), environment: ["A": try CommandTemplate.Word("{slug}")], features: [.docker])
    let bytes = try CanonicalJSON.encode(TaskSpec.Driver.command(settings: settings))
    #expect(
      String(decoding: bytes, as: UTF8.self)
        == #"{"command":{"settings":{"architectures":{"fixed":{"_0":["all","x"]}},"build":["./build","{targets}"],"environment":{"A":"{slug}"},"#
        + #""features":["docker"],"index":{"withBuild":{}},"success":"{machine} done"}}}"#)
    #expect(try CanonicalJSON.decode(TaskSpec.Driver.self, from: bytes) == .command(settings: settings))
    let hostile = String(decoding: bytes, as: UTF8.self).replacing("{targets}", with: "{evil}")
    #expect(throws: (any Error).self) { try CanonicalJSON.decode(TaskSpec.Driver.self, from: hostile.utf8) }
    #expect(String(decoding: try CanonicalJSON.encode(TaskSpec.Driver.barys), as: UTF8.self) == #"{"barys":{}}"#)
  }

  @Test(arguments: [
    ("A", true), ("a_1", true), ("", false), ("1A", false), ("A-B", false), ("A=B", false), ("BLOCKFARM_ATTEMPT", false), ("Ä", false),
  ])
  func variablesNames(_ name: String, _ isOne: Bool) { #expect(TaskSpec.OwnCommand.isVariable(name) == isOne) }

  // MARK: what a spec needs

  private func spec(_ driver: TaskSpec.Driver = .barys, feed: FeedSpec? = nil, _ origins: [BlockOrigin] = []) throws -> TaskSpec {
    let digest = try #require(Digest(hex: String(repeating: "1", count: 64)))
    let tree = SourceTree(mirror: digest, commit: try #require(CommitID(String(repeating: "2", count: 40))), tags: [])
    return TaskSpec(
      attempt: AttemptID(request: RequestID(now: .now), slug: try Slug("a"), number: 1), slug: try Slug("a"), machine: try Machine("a"),
      arch: .aarch64, osVersion: OSVersion("1.0.0")!, manifestFile: "a",
      source: SourceSpec(repository: "r", root: tree, submodules: [], isDirty: false),
      driver: driver, sourceDateEpoch: 0, feed: feed,
      blocks: try origins.map {
        BlockSpec(
          name: try BlockName("b"), origin: $0, packages: [], recipes: [], labels: [:], platform: Architecture.aarch64.platform, reference: "b:1")
      }, system: nil, limits: Limits())
  }

  @Test func aProvidedFeedNeedsNeitherSourceNorBitbake() throws {
    let blob = BlobDescriptor(digest: try #require(Digest(hex: String(repeating: "3", count: 64))), size: 1)
    let file = ProvidedFeed.File(path: try #require(RelativePath("all/Packages")), blob: blob)
    let provided = FeedSpec(recipes: [], provided: ProvidedFeed(architectures: ["all"], files: [file]))
    let packages = try spec(feed: provided, [.packages])
    #expect(!packages.needsSource && !packages.needsBitbake && packages.inputs == [blob] && packages.features == [])
    let predefined = try spec(feed: provided, [.dockerfile(directory: nil, baseImage: "opkg")])
    #expect(!predefined.needsSource && predefined.features == [.dockerfile])
    let own = try spec(feed: provided, [.dockerfile(directory: RelativePath("blocks/b"), baseImage: nil)])
    #expect(own.needsSource && !own.needsBitbake && own.features == [.dockerfile, .git])
    let recipe = try spec(.balenaBuild(settings: .init()), feed: provided, [.recipe(try RecipeName("r"), arguments: [], assets: [])])
    #expect(recipe.needsSource && recipe.needsBitbake && recipe.features == [.buildUser, .docker, .git])
    #expect(try spec(feed: FeedSpec(recipes: [])).features == [.bubblewrap, .buildUser, .git])
  }
}
