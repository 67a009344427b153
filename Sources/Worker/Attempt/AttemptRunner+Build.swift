import BuildModel
import Feed
import FoundationEssentials
import Glibc
import Processes
import Source
import Yocto

extension AttemptRunner {
  var barys: BarysCommand {
    BarysCommand(machine: spec.machine, slug: spec.slug, tree: directory.treePath, cache: root + "/cache")
  }

  /// The exact commits, in `tree/`.
  func checkOut() throws {
    let git = Git(mark: [AttemptDirectory.mark: directory.id.description])
    try Checkout(root: root, git: git).make(spec.source, at: directory.treePath)
    let wrapper = "\(directory.treePath)/\(BarysCommand.path)"
    guard access(wrapper, X_OK) == 0 else {
      throw Failure(kind: .rejected, step: .source, reason: "\(spec.source.repository) has no executable \(BarysCommand.path)")
    }
  }

  /// Builds the recipes, then the index, reads the build's architectures and checks every package against its index.
  func buildFeed(_ feed: FeedSpec) throws -> PackageFeed {
    let fresh = try FreshnessMark(in: directory.treePath)
    try bitbake(.packages(feed.recipes), step: .feed, what: "bitbake of \(feed.recipes.count) recipes")
    try bitbake(.packageIndex, step: .feed, what: "bitbake package-index")
    let variables = try buildVariables()
    packageArchitectures = variables.packageArchitectures

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
    let packages = try PackageFeed(root: root, architectures: packageArchitectures)
    let count = try packages.verify()
    guard count > 0 else {
      throw Failure(kind: .build, step: .feed, reason: "the feed has no packages", details: tree.names(in: "build/tmp/deploy/ipk"))
    }
    try notice("feed: \(count) packages in \(packages.architectures.joined(separator: " "))")
    let collector = ArtifactCollector(tree: tree, machine: spec.machine, store: store, epoch: spec.sourceDateEpoch, fresh: fresh)
    artifacts += try collector.collectFeed(root: root, architectures: packages.architectures)
    return packages
  }

  private static func holdsPackages(_ directory: String) throws -> Bool {
    try BuildTree.list(directory).contains { $0.hasSuffix(".ipk") }
  }

  private func buildVariables() throws -> BuildVariables {
    var variables = BuildVariables()
    try bitbake(.variables, step: .feed, what: "bitbake -e") { variables.read($0) }
    guard !variables.packageArchitectures.isEmpty else {
      throw Failure(kind: .build, step: .feed, reason: "the build does not say its PACKAGE_ARCHS")
    }
    guard variables.makesIpk else {
      throw Failure(kind: .build, step: .feed, reason: "the build makes no ipk packages (PACKAGE_CLASSES)")
    }
    return variables
  }

  /// One call of the wrapper; throws the failure that ``BuildVerdict`` finds. With `variables` the console is a dump of
  /// tens of thousands of lines: it goes there, and only what is said beside it goes into the log.
  func bitbake(_ run: BarysCommand.Run, step: Step, what: String, variables: ((String) -> Void)? = nil) throws {
    try checkpoint(step)
    try makeDirectories([root + "/cache", barys.downloads, root + "/cache/sstate", barys.sharedState])
    let command = barys.command(run, environment: environment)
    try console.write("[blockfarm] \(BarysCommand.path) \(command.arguments.joined(separator: " "))")

    var reader = BitbakeConsole()
    var lines = OutputLines()
    var lastProgress = -Double.infinity
    let killsBefore = Self.outOfMemoryKills()
    func take(_ raw: [[UInt8]]) throws {
      try console.write(variables == nil ? raw : raw.filter { Self.isMessage($0) })
      for line in raw {
        let text = String(decoding: line, as: UTF8.self)
        variables?(text)
        guard let progress = reader.read(text) else { continue }
        let now = MonotonicClock.now
        guard now - lastProgress >= 0.5 || progress.done == progress.total else { continue }
        lastProgress = now
        try journal.append(.progress(step: step, done: progress.done, total: progress.total), durable: false)
      }
    }
    let limits = ChildLimits(silentSeconds: spec.limits.silentSeconds, deadline: deadline)
    let end = try ChildProcess.run(command, limits: limits, interruption: interruption) { try take(lines.feed($0)) }
    try take(lines.finish())
    let failure = BuildVerdict.judge(
      end, console: reader, machine: spec.machine, step: step, what: what, log: directory.consolePath,
      wasOutOfMemory: Self.outOfMemoryKills() > killsBefore && end != .exited(0))
    if let failure { throw failure }
  }

  private static func isMessage(_ line: [UInt8]) -> Bool {
    ["[0", "ERROR:", "WARNING:", "NOTE:", "Loading", "Loaded", "Parsing", "| "].contains { line.starts(with: $0.utf8) }
  }

  private func makeDirectories(_ paths: [String]) throws {
    for path in paths where mkdir(path, 0o755) != 0 && errno != EEXIST {
      throw AttemptError.system(operation: "mkdir", path: path, errno: errno)
    }
  }

  /// How many processes the kernel has ended for memory since the host was started.
  private static func outOfMemoryKills() -> Int {
    let text = String(decoding: ProcessTree.contents("/proc/vmstat", limit: 1 << 16) ?? [], as: UTF8.self)
    let line = text.split(separator: "\n").first { $0.hasPrefix("oom_kill ") }
    return line.flatMap { Int($0.dropFirst("oom_kill ".count)) } ?? 0
  }
}
