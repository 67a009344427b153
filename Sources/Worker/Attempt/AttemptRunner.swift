import BlobStore
import BuildModel
import CanonicalJSON
import Containers
import Feed
import FoundationEssentials
import Glibc
import Processes
import Sandbox
import Yocto

/// Carries one attempt from its spec to its outcome. The caller holds the attempt's lock and is its own session.
package final class AttemptRunner {
  let directory: AttemptDirectory
  /// The worker's root.
  let root: String
  let spec: TaskSpec
  let store: BlobStore
  let journal: Journal
  let console: ConsoleLog
  let interruption: Interruption
  /// Environment of the build: without secrets it is what ``BuildEnvironment`` lets through.
  let environment: [String: String]
  let startedAt = Timestamp.now
  let deadline: Double

  /// What has been made so far; it goes into the outcome, also of a failed attempt.
  var steps: [StepResult] = []
  var blocks: [BlockResult] = []
  var artifacts: [Artifact] = []
  var packageArchitectures: [String] = []

  var checkedOut: FreshnessMark?
  /// Where the sources are checked out, while the attempt runs; nil without sources.
  var slot: WorkSlot?
  /// What the header of a build said.
  var buildVariables = BuildVariables()
  /// Whether something may be left in a container daemon.
  var usesDaemon = false
  /// Where the build's programs put temporary files: the host's /tmp may be full, or small. Short, since sockets are made there.
  let temporaryPath: String
  /// What the programs of a repository have run under.
  var isolations: Set<Isolation> = []
  /// Bytes that make room is for where the spec does not say how much it needs.
  private static let leastRoom = Int64(1) << 30

  /// Opens the attempt's files. `secrets` are given to the build and nowhere written.
  package init(directory: AttemptDirectory, root: String, inherited: [String: String], secrets: [String: String]) throws {
    self.directory = directory
    self.root = root
    // Before anything is started: no orphan and no signal may be missed.
    interruption = try Interruption()
    try ProcessTree.adoptOrphans()
    spec = try directory.spec()
    journal = try Journal(path: directory.journalPath)
    console = try ConsoleLog(path: directory.consolePath, limit: spec.limits.logBytes, secrets: Array(secrets.values))
    store = try BlobStore(root: root + "/blobs")
    temporaryPath = "\(root)/tmp/\(getpid())"
    environment = BuildEnvironment.make(
      inherited: inherited, mark: [AttemptDirectory.mark: directory.id.description, "TMPDIR": temporaryPath], secrets: secrets)
    deadline = MonotonicClock.now + spec.limits.totalSeconds
  }

  /// Runs all steps and writes the outcome; returns it. Throws only when even that is impossible: the attempt is then found lost.
  package func run() throws -> Outcome {
    var failure: Failure?
    do {
      try runSteps()
    } catch {
      failure = self.failure(from: error, step: nil)
    }
    // Nothing of the attempt may still work in its tree when others read the outcome.
    let (_, gone) = directory.processes.end(of: getpid(), grace: failure == nil ? 2 : 10)
    if !gone { try? journal.append(.notice("processes of the attempt could not be ended"), durable: false) }
    if usesDaemon { try? removeContainers() }
    return try finish(failure)
  }

  private func runSteps() throws {
    try makeRoom()
    for path in ["\(root)/tmp", temporaryPath] { try makeDirectory(path) }
    if spec.runsInSandbox { try tryOutSandbox() }
    if spec.needsSource { try step(.source) { try self.checkOut() } } else { try skip(.source) }
    let feed = try spec.feed.map { feed in try step(.feed) { try self.makeFeed(feed) } }
    if !spec.blocks.isEmpty { try step(.blocks) { try self.makeBlocks(from: feed) } }
    if let system = spec.system { try buildSystem(system) }
  }

  private func makeRoom() throws {
    let needed = spec.limits.diskBytes ?? Self.leastRoom
    guard GarbageCollection.freeBytes(root) < needed else { return }
    let freed = try GarbageCollection(root: root).makeRoom(for: needed)
    try notice("the host's disk is short: \(freed >> 20) MiB were freed, \(GarbageCollection.freeBytes(root) >> 20) MiB are free now")
  }

  /// Runs one step between its two events. A failure is given the step's name.
  func step<Value>(_ step: Step, _ body: () throws -> Value) throws -> Value {
    try checkpoint(step)
    try journal.append(.stepStarted(step), durable: true)
    let start = MonotonicClock.now
    do {
      let value = try body()
      try end(step, .done, since: start)
      return value
    } catch {
      let failure = self.failure(from: error, step: step)
      try end(step, .failed, since: start)
      throw failure
    }
  }

  /// Notes a step that the spec has no need of.
  private func skip(_ step: Step) throws {
    let skipped = StepResult(name: step, outcome: .skipped, seconds: 0)
    steps.append(skipped)
    try journal.append(.stepEnded(skipped), durable: true)
  }

  /// What the build left in a daemon; that it cannot be asked is no failure of the build.
  private func removeContainers() throws {
    do {
      try AttemptContainers(attempt: directory.id.description, directories: directory.directories, environment: environment)?.remove()
    } catch {
      try notice("containers of the attempt could not be removed: \(error)")
    }
  }

  private func end(_ step: Step, _ result: StepResult.Result, since start: Double) throws {
    let seconds = ((MonotonicClock.now - start) * 1000).rounded() / 1000
    let ended = StepResult(name: step, outcome: result, seconds: seconds)
    steps.append(ended)
    try journal.append(.stepEnded(ended), durable: true)
  }

  /// Throws when the attempt was cancelled or its time is over: called between pieces of work that run no child.
  func checkpoint(_ step: Step) throws {
    if interruption.isRequested { throw Failure(kind: .cancelled, step: step, reason: "cancelled") }
    if MonotonicClock.now >= deadline {
      throw Failure(kind: .timedOut, step: step, reason: "the attempt took more than \(Int(saturating: spec.limits.totalSeconds)) s")
    }
  }

  func notice(_ text: String) throws {
    try console.write("[blockfarm] \(text)")
    try journal.append(.notice(String(decoding: console.redact(Array(text.utf8)), as: UTF8.self)), durable: false)
  }

  /// Blobs and the names of blobs are synced before the outcome is written, the outcome before the event that tells of it.
  private func finish(_ failure: Failure?) throws -> Outcome {
    DirectoryRemoval.remove(temporaryPath)
    let size = ((slot.map { [$0.tree] } ?? []) + [directory.scratchPath, directory.feedPath]).reduce(0) { $0 + DirectorySize.bytes(of: $1) }
    // A build that was ended from outside may have left it half written.
    if let slot, failure == nil || failure?.kind == .build { parseCache(in: slot).moveOut() }
    try DurableFile.syncDirectory(of: store.root + "/sha256/.")
    let outcome = Outcome(
      attempt: spec.attempt, failure: failure.map(redacted), steps: steps, blocks: blocks, artifacts: artifacts, startedAt: startedAt,
      endedAt: .now, packageArchitectures: packageArchitectures, diskBytes: size,
      isolation: .weakest(isolations))
    try directory.keep(outcome, in: journal, slot: slot)
    slot = nil
    return outcome
  }

  private func redacted(_ failure: Failure) -> Failure {
    func clean(_ text: String) -> String { String(decoding: console.redact(Array(text.utf8)), as: UTF8.self) }
    return Failure(
      kind: failure.kind, step: failure.step, reason: clean(failure.reason), details: failure.details.map(clean), blame: failure.blame)
  }
}
