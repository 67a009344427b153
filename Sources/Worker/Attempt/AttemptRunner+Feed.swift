import BlobStore
import BuildModel
import Feed
import Glibc
import Yocto

extension AttemptRunner {
  /// The feed that the blocks are made from: built, or the one that was provided. Every package of it is checked against its index.
  func makeFeed(_ feed: FeedSpec) throws -> PackageFeed {
    if let provided = feed.provided { return try takeFeed(provided) }
    return try buildFeed(feed.recipes)
  }

  /// Builds the recipes, then the index, and learns the build's architectures.
  private func buildFeed(_ recipes: [RecipeName]) throws -> PackageFeed {
    let fresh = try FreshnessMark(in: directory.treePath)
    try bitbake(.packages(recipes), step: .feed, what: "bitbake of \(Counted(recipes.count, "recipe"))")
    try bitbake(.packageIndex, step: .feed, what: "bitbake package-index")
    packageArchitectures = try driver.packageArchitectures ?? architectures()

    let tree = try BuildTree(path: directory.treePath)
    guard let root = try tree.locate("build/tmp/deploy/ipk") else {
      throw YoctoError.missing(path: "build/tmp/deploy/ipk", present: tree.names(in: "build/tmp/deploy"))
    }
    for architecture in try BuildTree.list(root) where packageArchitectures.contains(architecture) {
      let index = "\(root)/\(architecture)/Packages"
      for path in [index, index + ".gz"] where try Self.holdsPackages("\(root)/\(architecture)") && !fresh.isOlder(than: path) {
        let name = "ipk/\(architecture)/\(path.split(separator: "/").last ?? "")"
        throw access(path, F_OK) == 0 ? YoctoError.stale(path: name) : YoctoError.missing(path: name, present: [])
      }
    }
    let packages = try checked(PackageFeed(root: root, architectures: packageArchitectures), present: tree.names(in: "build/tmp/deploy/ipk"))
    let collector = ArtifactCollector(tree: tree, machine: spec.machine, store: store, epoch: spec.sourceDateEpoch, fresh: fresh)
    artifacts += try collector.collectFeed(root: root, architectures: packages.architectures)
    return packages
  }

  /// Lays the blobs of a provided feed out as its directories.
  private func takeFeed(_ provided: ProvidedFeed) throws -> PackageFeed {
    packageArchitectures = provided.architectures
    let feed = try provided.materialize(in: directory.feedPath, from: store)
    artifacts += try provided.files.map { file in
      guard let path = RelativePath("ipk/\(file.path)") else {
        throw Failure(kind: .rejected, step: .feed, reason: "the provided feed's '\(file.path)' is no path below a feed")
      }
      return Artifact(path: path, digest: file.blob.digest, size: file.blob.size, role: .feed)
    }
    return try counted(feed, feed.candidates.count, present: provided.architectures)
  }

  private func checked(_ feed: PackageFeed, present: [String]) throws -> PackageFeed {
    try counted(feed, feed.verify(), present: present)
  }

  private func counted(_ feed: PackageFeed, _ count: Int, present: [String]) throws -> PackageFeed {
    guard count > 0 else { throw Failure(kind: .build, step: .feed, reason: "the feed has no packages", details: present) }
    try notice("feed: \(Counted(count, "package")) in \(feed.architectures.joined(separator: " "))")
    return feed
  }

  private static func holdsPackages(_ directory: String) throws -> Bool {
    try BuildTree.list(directory).contains { $0.hasSuffix(".ipk") }
  }

  /// PACKAGE_ARCHS as the header of the build said them. Only a build that does not say them is asked in a run of its own.
  private func architectures() throws -> [String] {
    if buildVariables.packageArchitectures.isEmpty {
      try notice("the build does not say its PACKAGE_ARCHS in its header; it is asked once more, which takes a bitbake run of its own")
      try bitbake(.variables, step: .feed, what: "bitbake -e") { self.buildVariables.read($0) }
    }
    guard !buildVariables.packageArchitectures.isEmpty else {
      throw Failure(kind: .build, step: .feed, reason: "the build does not say its PACKAGE_ARCHS")
    }
    guard buildVariables.makesIpk else {
      throw Failure(kind: .build, step: .feed, reason: "the build makes no ipk packages (PACKAGE_CLASSES)")
    }
    return buildVariables.packageArchitectures
  }

  func makeDirectory(_ path: String) throws(AttemptError) {
    if mkdir(path, 0o755) != 0, errno != EEXIST { throw .system(operation: "mkdir", path: path, errno: errno) }
  }
}
