import BuildModel
import Foundation
import TestFiles
import TestPeers
import Testing

/// `balena-acme-arm` of deploy/sample with its submodule, made once for all tests of the run.
struct SampleRepository {
  let directory: String
  private let commit: CommitID
  private let scriptsCommit: CommitID
  private let tag: String

  private static let repository = "balena-acme-arm"
  private static let scripts = "balena-yocto-scripts"
  private static let made = Result { try SampleRepository() }

  static func shared() throws -> SampleRepository { try made.get() }

  private init() throws {
    directory = try ScratchDirectory.untilExit().path
    _ = try Self.output([Project.path + "/deploy/sample/make-repositories", directory])
    let device = directory + "/" + Self.repository
    guard let commit = CommitID(try Self.output(["git", "-C", device, "rev-parse", "HEAD"])),
      let scriptsCommit = CommitID(try Self.output(["git", "-C", device, "rev-parse", "HEAD:\(Self.scripts)"]))
    else { throw PeerError("commits of \(device)") }
    self.commit = commit
    self.scriptsCommit = scriptsCommit
    tag = try Self.output(["git", "-C", device, "describe", "--abbrev=0"])
  }

  /// A spec for acme-board64 with a block and the image; change what a test is about.
  func spec() throws -> TaskSpec {
    let slug = try Slug("acme-board64")
    let recipes = try ["acme-diag-tools", "acme-diag-data", "acme-diag-config", "acme-diag-config-board"].map { try RecipeName($0) }
    return TaskSpec(
      attempt: AttemptID(request: RequestID(now: .now), slug: slug, number: 1), slug: slug, machine: try Machine("acme-board64"), arch: .aarch64,
      osVersion: OSVersion("6.1.24+rev3")!, manifestFile: "acme-board64",
      source: SourceSpec(
        repository: Self.repository, root: SourceTree(mirror: try mirror(Self.repository), commit: commit, tags: [tag]),
        submodules: [
          .init(
            path: try #require(RelativePath(Self.scripts)), tree: SourceTree(mirror: try mirror(Self.scripts), commit: scriptsCommit, tags: []))
        ], isDirty: false),
      driver: .barys, sourceDateEpoch: 1_710_234_000, feed: FeedSpec(recipes: recipes),
      blocks: [
        BlockSpec(
          name: try BlockName("acme-diagnostics"),
          packages: try ["acme-diag-tools", "acme-diag-data", "acme-diag-config"].map { try PackageName($0) }, recipes: recipes,
          labels: ["io.balena.image.class": "overlay"], platform: Architecture.aarch64.platform, reference: "local/acme-diagnostics:6.1.24_rev3")
      ],
      system: SystemSpec(
        image: [try RecipeName("balena-image")], deployArtifact: "balena-image-acme-board64.balenaos-img", deployFlasherArtifact: nil,
        deployRawArtifact: nil, compressed: true, archive: false),
      limits: Limits(silentSeconds: 120, totalSeconds: 300, logBytes: 16 << 20))
  }

  /// A bundle as a coordinator sends it.
  func bundle(for source: StartAnswer.MissingSource) throws -> Data {
    let name = try source.mirror == mirror(Self.scripts) ? Self.scripts : Self.repository
    let path = "\(directory)/bundle-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: path) }
    _ = try Self.output(
      ["git", "-C", "\(directory)/\(name)", "bundle", "create", "--quiet", path, "HEAD", "--tags"] + source.have.map { "^\($0)" })
    return try Data(contentsOf: URL(filePath: path))
  }

  private func mirror(_ name: String) throws -> Digest {
    try #require(Digest(hex: String(repeating: name == Self.scripts ? "5c" : "de", count: 32)))
  }

  private static func output(_ arguments: [String]) throws -> String {
    try Tool.run(arguments).trimmingCharacters(in: .whitespacesAndNewlines)
  }
}
