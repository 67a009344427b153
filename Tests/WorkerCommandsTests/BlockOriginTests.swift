import BlobStore
import Blocks
import BuildModel
import CanonicalJSON
import Foundation
import TestPeers
import Testing

/// Blocks that do not come from a feed that was built for them.
@Suite(.timeLimit(.minutes(5)))
struct BlockOriginTests {
  private let sample: SampleRepository
  private let host: WorkerHost

  init() throws {
    sample = try SampleRepository.shared()
    host = try WorkerHost()
  }

  private func store() throws -> BlobStore { try BlobStore(root: host.root + "/blobs") }

  // MARK: image recipes

  private func recipeSpec(arguments: [String] = [], assets: [String] = ["images/acme-board64/acme-kernel-extension*.manifest", "nothing-*"]) throws
    -> TaskSpec
  {
    var spec = try sample.spec()
    (spec.feed, spec.system) = (nil, nil)
    let recipe = try RecipeName("acme-kernel-extension")
    spec.blocks = [
      BlockSpec(
        name: try BlockName("kernel"), origin: .recipe(recipe, arguments: arguments, assets: assets), packages: [], recipes: [recipe],
        labels: ["io.balena.image.class": "overlay", "io.balena.update.requires-reboot": "1"], platform: Architecture.aarch64.platform,
        reference: "local/kernel:6.1.24_rev3")
    ]
    return spec
  }

  @Test func anImageRecipeBecomesABlock() throws {
    let spec = try recipeSpec(arguments: ["-a SAMPLE=1"])
    try host.startWithSources(spec, of: sample)
    let outcome = try host.outcome(spec.attempt)
    try #require(outcome.failure == nil, "\(outcome.failure?.reason ?? "") \(outcome.failure?.details ?? [])")
    #expect(outcome.steps.map(\.name) == [.source, .blocks])
    let block = try #require(outcome.blocks.first)
    #expect(block.platform == Architecture.aarch64.platform && block.packages == [])
    #expect(try BlockVerification.verify(block, against: spec.blocks[0], in: store()).count == 1)
    let config = String(decoding: try store().read(block.config.digest), as: UTF8.self)
    #expect(config.contains(#""io.balena.image.kernel-version":"6.1.77""#) && config.contains(#""io.balena.update.requires-reboot":"1""#))
    #expect(config.contains(#""Volumes":{"/boot":{}}"#) && config.contains(#""architecture":"arm64""#))
    // The image's own name for its layer stays.
    let images = "\(host.root)/attempts/\(spec.attempt)/tree/build/tmp/deploy/images/acme-board64"
    let archive = try FileManager.default.contentsOfDirectory(atPath: images).first {
      $0.hasPrefix("acme-kernel-extension") && $0.hasSuffix(".docker")
    }
    #expect(try Tool.run(["tar", "-xOf", "\(images)/\(archive ?? "")", "--wildcards", "*.json"]).contains("\(block.layers[0].diffID)"))
    #expect(outcome.artifacts.map(\.role) == [.file, .file])
    #expect(outcome.artifacts.allSatisfy { $0.path.text.hasPrefix("service/kernel/images/acme-board64/acme-kernel-extension-acme-board64") })
    let log = try String(contentsOfFile: "\(host.root)/attempts/\(spec.attempt)/console.log", encoding: .utf8)
    #expect(log.contains(" -a SAMPLE=1 "))
  }

  @Test(arguments: [
    ("lie=stale", ["x"], "the build did not make 'build/tmp/deploy/images/acme-board64/acme-kernel-extension-acme-board64.docker'"),
    (
      "fail=acme-kernel-extension", ["x"],
      "recipe acme-kernel-extension-1.0-r0 failed in do_rootfs: acme-kernel-extension: the miniature was told to fail here"
    ),
    ("slow=0", ["nothing/*", "no.thing"], "the build did not make 'build/tmp/deploy/{nothing/*,no.thing}'"),
  ])
  func aRecipeThatMakesNothingFails(_ fault: String, _ assets: [String], _ reason: String) throws {
    let spec = try recipeSpec(assets: assets)
    try host.startWithSources(spec, of: sample, faults: fault)
    let failure = try #require(try host.outcome(spec.attempt).failure)
    #expect(failure.kind == .build && failure.step == .blocks && failure.reason == reason, "\(failure.reason)")
  }

  // MARK: a provided feed

  /// What a coordinator would provide: here the feed of an earlier attempt.
  private func provided(_ outcome: Outcome) throws -> FeedSpec {
    let files = try outcome.artifacts.filter { $0.role == .feed }.map {
      ProvidedFeed.File(
        path: try #require(RelativePath(String($0.path.text.dropFirst("ipk/".count)))), blob: BlobDescriptor(digest: $0.digest, size: $0.size))
    }
    return FeedSpec(recipes: [], provided: ProvidedFeed(architectures: outcome.packageArchitectures, files: files))
  }

  private func builtFeed() throws -> (TaskSpec, Outcome) {
    var spec = try sample.spec()
    spec.system = nil
    try host.startWithSources(spec, of: sample)
    let outcome = try host.outcome(spec.attempt)
    try #require(outcome.failure == nil)
    return (spec, outcome)
  }

  @Test func aProvidedFeedGivesTheSameBlockWithoutSources() throws {
    let (first, built) = try builtFeed()
    var spec = first
    spec.attempt = AttemptID(request: RequestID(now: .now), slug: spec.slug, number: 1)
    spec.feed = try provided(built)
    // No worker has these sources.
    spec.source.root.mirror = try #require(Digest(hex: String(repeating: "ab", count: 32)))
    let fresh = try WorkerHost(asRoot: true)
    let inputs = Set(spec.inputs)
    guard case .missingBlobs(let missing) = try fresh.start(spec) else { Issue.record("nothing is missing"); return }
    #expect(Set(missing) == inputs && missing.count == inputs.count)
    let frames = try host.frames(missing)
    #expect(try fresh.ask([BlobDescriptor].self, ["blob", "put"], input: frames).count == missing.count)
    #expect(try fresh.start(spec) == .started)
    let outcome = try fresh.outcome(spec.attempt)
    try #require(outcome.failure == nil, "\(outcome.failure?.reason ?? "")")
    #expect(outcome.blocks == built.blocks)
    #expect(outcome.packageArchitectures == built.packageArchitectures)
    #expect(outcome.steps.map { "\($0.name) \($0.outcome)" } == ["source skipped", "feed done", "blocks done"])
    #expect(Set(outcome.artifacts.map(\.path)) == Set(built.artifacts.map(\.path)))
    // What a spec names stays although it is old and no outcome has named it yet.
    struct Freed: Decodable { var freedBytes: Int64 }
    #expect(try fresh.ask(Freed.self, ["gc", "--tree-days", "0", "--blob-days", "0"]).freedBytes >= 0)
    #expect(!FileManager.default.fileExists(atPath: "\(fresh.root)/attempts/\(spec.attempt)/feed"))
  }

  @Test func aProvidedFeedIsCheckedLikeABuiltOne() throws {
    let (first, built) = try builtFeed()
    var spec = first
    spec.attempt = AttemptID(request: RequestID(now: .now), slug: spec.slug, number: 1)
    var feed = try provided(built)
    let files = feed.provided?.files ?? []
    let at = try #require(files.firstIndex { $0.path.text.contains("acme-diag-tools_") })
    let other = try #require(files.first { $0.path.text.contains("acme-diag-data_") })
    feed.provided?.files[at].blob = other.blob
    spec.feed = feed
    #expect(try host.start(spec) == .started)
    let failure = try #require(try host.outcome(spec.attempt).failure)
    #expect(failure.kind == .build && failure.step == .feed && failure.reason.contains("acme-diag-tools"), "\(failure.reason)")
  }

  // MARK: refusals

  @Test(arguments: [
    ("registry", "block acme-diagnostics is image r.example/x:1 of a registry, which workers do not fetch"),
    ("no feed", "the spec asks for block acme-diagnostics, which is made of packages, without a feed"), ("no base", "needs a base image with opkg"),
    ("twice", "the provided feed names 'all/Packages' twice"), ("empty", "the provided feed is empty"),
    ("architecture", "the provided feed's architecture '../x' is no directory's name"), ("nothing", "the spec asks for nothing"),
    ("arguments", "recipe acme-kernel-extension comes with arguments for the build, but the driver's command has no {arguments}"),
  ])
  func specsThatCannotBeBuiltAreRefused(_ what: String, _ reason: String) throws {
    var spec = try sample.spec()
    spec.system = nil
    let file = ProvidedFeed.File(path: try #require(RelativePath("all/Packages")), blob: BlobDescriptor(digest: spec.source.root.mirror, size: 1))
    switch what {
    case "registry": spec.blocks[0].origin = .registry(reference: "r.example/x:1")
    case "no feed": spec.feed = nil
    case "no base": spec.blocks[0].origin = .dockerfile(directory: nil, baseImage: nil)
    case "twice": spec.feed?.provided = ProvidedFeed(architectures: ["all"], files: [file, file])
    case "empty": spec.feed?.provided = ProvidedFeed(architectures: ["all"], files: [])
    case "architecture": spec.feed?.provided = ProvidedFeed(architectures: ["../x"], files: [file])
    case "nothing": (spec.feed, spec.blocks) = (nil, [])
    default:
      spec = try recipeSpec(arguments: ["-a X=1"])
      spec.driver = .command(settings: .init(build: try CommandTemplate(["x", "{targets}"]), architectures: .fixed(["all"])))
    }
    guard case .refused(let text) = try host.start(spec) else { Issue.record("it is not refused"); return }
    #expect(text.contains(reason), "\(text)")
  }
}

extension WorkerHost {
  /// Blobs as `blob put` takes them.
  func frames(_ blobs: [BlobDescriptor]) throws -> Data {
    let bytes = try Tool.bytes(
      words(["blob", "get"]), input: Array(try blobs.map { try CanonicalJSON.encode($0) + [10] }.joined()), environment: environment(),
      directory: "/")
    return Data(bytes.dropFirst(WorkerProtocol.marker.utf8.count + 1))
  }
}
