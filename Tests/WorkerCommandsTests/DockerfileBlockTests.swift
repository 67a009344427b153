import BlobStore
import Blocks
import BuildModel
import Foundation
import TestFiles
import TestPeers
import Testing

/// Blocks from Dockerfiles, with the real worker and the real buildah (as root: an ordinary account needs subordinate users). opkg is a stand-in.
@Suite(.timeLimit(.minutes(5)), .enabled(if: getuid() == 0, "buildah is tested as root"))
struct DockerfileBlockTests {
  private let sample: SampleRepository
  private let host: WorkerHost

  init() throws {
    sample = try SampleRepository.shared()
    host = try WorkerHost(asRoot: true)
  }

  private func store() throws -> BlobStore { try BlobStore(root: host.root + "/blobs") }

  /// A spec with a provided feed, which a worker of an ordinary account built; the blobs are on this host.
  private func spec() throws -> (TaskSpec, Outcome) {
    let builder = try WorkerHost()
    var spec = try sample.spec()
    spec.system = nil
    try builder.startWithSources(spec, of: sample)
    let built = try builder.outcome(spec.attempt)
    try #require(built.failure == nil)
    let files = try built.artifacts.map {
      ProvidedFeed.File(
        path: try #require(RelativePath(String($0.path.text.dropFirst("ipk/".count)))), blob: BlobDescriptor(digest: $0.digest, size: $0.size))
    }
    spec.feed = FeedSpec(recipes: [], provided: ProvidedFeed(architectures: built.packageArchitectures, files: files))
    spec.attempt = AttemptID(request: RequestID(now: .now), slug: spec.slug, number: 1)
    _ = try host.ask([BlobDescriptor].self, ["blob", "put"], input: builder.frames(spec.inputs))
    return (spec, built)
  }

  /// busybox and the stand-in, as an archive that FROM can name.
  private func baseImage() throws -> String {
    let directory = host.scratch + "/base"
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    try FileManager.default.copyItem(atPath: Fixtures().path("opkg"), toPath: directory + "/opkg")
    try FileManager.default.copyItem(atPath: "/bin/busybox", toPath: directory + "/busybox")
    let dockerfile = """
      FROM scratch
      COPY busybox /bin/busybox
      RUN ["/bin/busybox", "--install", "-s", "/bin"]
      COPY opkg /bin/opkg
      ENV PATH=/bin
      """
    try dockerfile.write(toFile: directory + "/Dockerfile", atomically: true, encoding: .utf8)
    let buildah = ["buildah", "--root", directory + "/storage", "--runroot", directory + "/run", "--storage-driver", "vfs"]
    try Tool.run(buildah + ["build", "--isolation", "chroot", "--layers=false", "--tag", "opkg", directory])
    try Tool.run(buildah + ["push", "opkg", "oci-archive:\(directory)/opkg.tar"])
    return "oci-archive:\(directory)/opkg.tar"
  }

  /// Mode, owner, size and name of everything in a layer but its directories, which opkg's way and ours list differently.
  private func files(of block: BlockResult) throws -> [String] {
    let listing = try Tool.run(["tar", "--numeric-owner", "--full-time", "-tvzf", store().path(block.layers[0].blob.digest)])
    return listing.split(separator: "\n").filter { !$0.hasPrefix("d") }.map { line in
      let fields = line.split(separator: " ", omittingEmptySubsequences: true)
      // Of several names of one file, either may come first.
      let kind = fields[0].hasPrefix("h") ? "-" + fields[0].dropFirst() : fields[0]
      let name = fields[5].hasPrefix("./") ? fields[5].dropFirst(2) : fields[5]
      return "\(kind) \(fields[1]) \(name)"
    }.sorted()
  }

  private func nothingIsLeft(of spec: TaskSpec) throws {
    let scratch = "\(host.root)/attempts/\(spec.attempt)/scratch"
    #expect((try? FileManager.default.contentsOfDirectory(atPath: scratch)) ?? [] == [])
    #expect(try !String(contentsOfFile: "/proc/mounts", encoding: .utf8).contains(host.scratch))
    #expect(try host.processes(spec.attempt) == [])
  }

  @Test func thePredefinedOneGivesWhatIsAssembled() throws {
    var (spec, built) = try spec()
    spec.blocks[0].origin = .dockerfile(directory: nil, baseImage: try baseImage())
    spec.blocks[0].packages = try ["acme-diag-tools", "acme-diag-config"].map { try PackageName($0) }
    var assembled = spec.blocks[0]
    assembled.origin = .packages
    assembled.name = try BlockName("assembled")
    spec.blocks.append(assembled)
    #expect(try host.start(spec) == .started)
    let outcome = try host.outcome(spec.attempt)
    try #require(outcome.failure == nil, "\(outcome.failure?.reason ?? "") \(outcome.failure?.details ?? [])")
    #expect(outcome.steps.map { "\($0.name) \($0.outcome)" } == ["source skipped", "feed done", "blocks done"])
    let block = outcome.blocks[0]
    #expect(try BlockVerification.verify(block, against: spec.blocks[0], in: store()).count == 1)
    let listing = try files(of: block)
    // The machine's directory comes before `all`, although its version is lower.
    #expect(listing.contains { $0.hasSuffix("etc/acme-diag.conf") })
    #expect(try Tool.run(["tar", "-xOzf", store().path(block.layers[0].blob.digest), "etc/acme-diag.conf"]).contains("acme-board64"))
    #expect(listing == (try files(of: outcome.blocks[1])))
    #expect(!listing.contains { $0.contains("opkg") })
    // Nothing of opkg's own stays, not even a directory: the stand-in leaves them as opkg does.
    let everything = try Tool.run(["tar", "-tzf", store().path(block.layers[0].blob.digest)])
    #expect(!everything.contains("var/run") && !everything.contains("var/cache") && !everything.contains("opkg"), "\(everything)")
    #expect(block.platform == Architecture.aarch64.platform)
    try nothingIsLeft(of: spec)
    // And again, the same bytes.
    spec.attempt = AttemptID(request: RequestID(now: .now), slug: spec.slug, number: 2)
    #expect(try host.start(spec) == .started)
    #expect(try host.outcome(spec.attempt).blocks == outcome.blocks)
    _ = built
  }

  @Test func aMissingPackageFailsTheBuild() throws {
    var (spec, _) = try spec()
    spec.blocks[0].origin = .dockerfile(directory: nil, baseImage: try baseImage())
    spec.blocks[0].packages.append(try PackageName("acme-nothing"))
    #expect(try host.start(spec) == .started)
    let failure = try #require(try host.outcome(spec.attempt).failure)
    #expect(failure.kind == .build && failure.step == .blocks, "\(failure)")
    #expect(failure.reason.contains("block acme-diagnostics: package 'acme-nothing' is not in the feed"), "\(failure)")
    try nothingIsLeft(of: spec)
  }

  @Test func aDirectorysOwnIsBuiltWithTheFeedBesideIt() throws {
    var (spec, _) = try spec()
    spec.blocks[0].origin = .dockerfile(directory: RelativePath("blocks/acme-keys"), baseImage: nil)
    spec.blocks[0].packages = []
    try host.startWithSources(spec, of: sample)
    let outcome = try host.outcome(spec.attempt)
    try #require(outcome.failure == nil, "\(outcome.failure?.reason ?? "") \(outcome.failure?.details ?? [])")
    let block = outcome.blocks[0]
    #expect(try BlockVerification.verify(block, against: spec.blocks[0], in: store()).count >= 1)
    let config = String(decoding: try store().read(block.config.digest), as: UTF8.self)
    #expect(
      config.contains(#""io.example.keys":"2""#) && config.contains(#""io.balena.image.class":"overlay""#) && config.contains(#""variant":"v8""#))
    let names = try block.layers.map { try Tool.run(["tar", "-tzf", store().path($0.blob.digest)]) }.joined()
    #expect(names.contains("usr/share/acme/keys/2024.pub") && names.contains("usr/share/acme/packages-of-all"))
    #expect(outcome.steps.map(\.name) == [.source, .feed, .blocks])
    try nothingIsLeft(of: spec)
  }

  @Test func aDirectoryThatIsNotThereIsRefused() throws {
    var (spec, _) = try spec()
    spec.blocks[0].origin = .dockerfile(directory: RelativePath("blocks/none"), baseImage: nil)
    try host.startWithSources(spec, of: sample)
    let failure = try #require(try host.outcome(spec.attempt).failure)
    #expect(failure.kind == .rejected && failure.reason == "block acme-diagnostics: the repository has no directory 'blocks/none'")
    #expect(failure.blame == .repository)
  }

  /// buildah is stopped in a step that would never end; its storage goes with it, also when the runner cannot clean up any more.
  @Test(arguments: [false, true]) func cancelLeavesNothing(_ runnerIsKilled: Bool) throws {
    var (spec, _) = try spec()
    let base = try baseImage()
    // An opkg that waits.
    let directory = host.scratch + "/base"
    try "#!/bin/sh\necho waiting; exec sleep 86400\n".write(toFile: directory + "/opkg", atomically: true, encoding: .utf8)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: directory + "/opkg")
    let buildah = ["buildah", "--root", directory + "/storage", "--runroot", directory + "/run", "--storage-driver", "vfs"]
    try Tool.run(buildah + ["build", "--isolation", "chroot", "--layers=false", "--tag", "waits", directory])
    try FileManager.default.removeItem(atPath: directory + "/opkg.tar")
    try Tool.run(buildah + ["push", "waits", base])
    spec.blocks[0].origin = .dockerfile(directory: nil, baseImage: base)
    #expect(try host.start(spec) == .started)
    try host.follow(spec.attempt) { if case .log(_, _, let text) = $0 { text.contains("waiting") } else { false } }
    if runnerIsKilled {
      kill(try host.runner(spec.attempt), SIGKILL)
      #expect(try host.outcome(spec.attempt).failure?.kind == .lost)
    } else {
      #expect(try host.ask(CancelAnswer.self, ["cancel", spec.attempt.description]).wasRunning)
      #expect(try host.outcome(spec.attempt).failure?.kind == .cancelled)
    }
    try nothingIsLeft(of: spec)
  }
}
