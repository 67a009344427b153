import BuildModel
import Containers
import FoundationEssentials
import Glibc
import Processes
import Source
import Yocto

extension AttemptRunner {
  var driver: any BuildDriver { spec.driver.driver(at: buildPlace(tree: slot?.tree ?? directory.treePath)) }

  func buildPlace(tree: String) -> BuildPlace {
    BuildPlace(
      machine: spec.machine, slug: spec.slug, manifestFile: spec.manifestFile, tree: tree, cache: root + "/cache", settings: spec.settings)
  }

  /// The exact commits, in the work tree of a slot.
  func checkOut() throws {
    let git = Git(mark: [AttemptDirectory.mark: directory.id.description])
    let slot = try WorkSlot.take(root: root, for: directory, repository: spec.source.root.mirror)
    self.slot = slot
    let driver = driver
    try Checkout(root: root, git: git, ownsObjects: driver.runsInContainer).make(spec.source, at: slot.tree)
    checkedOut = try FreshnessMark(in: slot.tree)
    guard spec.needsBitbake else { return }
    if let obstacle = driver.obstacle(in: environment) {
      throw Failure(
        kind: obstacle.isOfHost ? .infrastructure : .rejected, step: .source, reason: "\(spec.source.repository) \(obstacle.reason)")
    }
    parseCache(in: slot).moveIn()
    try driver.prepare()
  }

  func parseCache(in slot: WorkSlot) -> ParseCache {
    ParseCache(
      cache: root + "/cache", repository: spec.source.root.mirror, slot: slot.number, tree: slot.tree, isInContainer: driver.runsInContainer)
  }

  /// The moment after the checkout: what the attempt itself made is newer.
  func sinceCheckout() throws -> FreshnessMark {
    guard let checkedOut else { throw Failure(kind: .rejected, step: .source, reason: "the spec's sources were not checked out") }
    return checkedOut
  }

  /// One call of the wrapper, where the driver needs one; throws the failure that ``BuildVerdict`` finds. With `variables` the console is a dump of
  /// tens of thousands of lines: it goes there, and only what is said beside it goes into the log.
  ///
  /// A bitbake that ended without a word is asked once more: in its first seconds it loses errors about its configuration now and then.
  func bitbake(_ run: BitbakeRun, step: Step, what: String, variables: ((String) -> Void)? = nil) throws {
    guard case .silentFailure = try call(run, step: step, what: what, isLast: false, variables: variables) else { return }
    try notice("\(what) failed without a word; it is run once more for its reason")
    _ = try call(run, step: step, what: what, isLast: true, variables: variables)
  }

  private enum CallEnd { case done, silentFailure }

  private func call(_ run: BitbakeRun, step: Step, what: String, isLast: Bool, variables: ((String) -> Void)?) throws -> CallEnd {
    try checkpoint(step)
    let driver = driver
    guard let command = driver.command(run, environment: buildEnvironment) else { return .done }
    isolations.insert(buildIsolation)
    try console.write("[blockfarm] \(driver.wrapper) \(command.arguments.joined(separator: " "))")
    usesDaemon = usesDaemon || driver.runsInContainer

    var text: String?
    if case .status(let line) = driver.proof { text = line }
    var reader = BitbakeConsole(successText: text)
    var lastProgress = -Double.infinity
    var watch = BuildWatch(tree: directory.processes, silentSeconds: spec.limits.silentSeconds)
    let killsBefore = Self.outOfMemoryKills()
    let end = try follow(confined(command), logs: { variables == nil || Self.isMessage($0) }, verdict: { watch.verdict() }) { line in
      variables?(line)
      buildVariables.read(line)
      let progress = reader.read(line)
      if reader.showsLife { watch.sawLife() }
      guard let progress else { return }
      let now = MonotonicClock.now
      guard now - lastProgress >= 0.5 || progress.done == progress.total else { return }
      lastProgress = now
      try journal.append(.progress(step: step, done: progress.done, total: progress.total), durable: false)
    }
    keepLogs(of: &reader)
    if watch.isServerGone { throw BuildVerdict.serverIsGone(console: reader, step: step, what: what, log: directory.consolePath) }
    let failure = BuildVerdict.judge(
      end, console: reader, proof: driver.proof, machine: spec.machine, step: step, what: what, log: directory.consolePath,
      wasOutOfMemory: Self.outOfMemoryKills() > killsBefore)
    guard let failure else { return .done }
    if case .exited(let status) = end, status != 0, reader.saysNothing, driver.proof == .barys, !isLast { return .silentFailure }
    throw failure
  }

  /// Runs a child to its end by the attempt's limits, its output into the log and line by line to `read`. With a `verdict` that one decides about
  /// silence, else any output counts.
  func follow(
    _ command: Command, logs: ([UInt8]) -> Bool = { _ in true }, verdict: (() -> ChildEnd?)? = nil, read: (String) throws -> Void
  ) throws -> ChildEnd {
    var lines = OutputLines()
    func take(_ raw: [[UInt8]]) throws {
      try console.write(raw.filter(logs))
      for line in raw { try read(String(decoding: line, as: UTF8.self)) }
    }
    let limits = ChildLimits(silentSeconds: verdict == nil ? spec.limits.silentSeconds : .infinity, deadline: deadline)
    let end = try ChildProcess.run(command, limits: limits, interruption: interruption, verdict: verdict ?? { nil }) { try take(lines.feed($0)) }
    try take(lines.finish())
    return end
  }

  private static func isMessage(_ line: [UInt8]) -> Bool {
    ["[0", "ERROR:", "WARNING:", "NOTE:", "Loading", "Loaded", "Parsing", "| "].contains { line.starts(with: $0.utf8) }
  }

  /// How many processes the kernel has ended for memory since the host was started, in containers too.
  static func outOfMemoryKills() -> Int {
    let text = String(decoding: BoundedFile.contents("/proc/vmstat", limit: 1 << 16) ?? [], as: UTF8.self)
    let line = text.split(separator: "\n").first { $0.hasPrefix("oom_kill ") }
    return line.flatMap { Int($0.dropFirst("oom_kill ".count)) } ?? 0
  }
}
