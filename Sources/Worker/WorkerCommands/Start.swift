import ArgumentParser
import Attempt
import BlobStore
import BuildModel
import CanonicalJSON
import FoundationEssentials
import Glibc
import Processes
import Source

/// Starts an attempt, detached.
struct Start: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Start an attempt from a TaskSpec on standard input (a second line may hold secrets as a JSON object).")
  @OptionGroup var location: RootOption

  func run() throws {
    try StandardOutput.begin()
    let lines = try StandardInput.lines()
    guard let first = lines.first, lines.count <= 2 else { throw WorkerExit.usage("start wants a TaskSpec, and at most a line of secrets after it") }
    let spec: TaskSpec
    do {
      spec = try WorkerProtocol.decode(TaskSpec.self, from: first)
    } catch {
      try StandardOutput.line(StartAnswer.refused("the TaskSpec cannot be read: \(error)"))
      return
    }
    // Even the place of an error would show the name of a secret.
    guard let secrets = lines.count < 2 ? [:] : try? WorkerProtocol.decode([String: String].self, from: lines[1]) else {
      throw WorkerExit.usage("the secrets are no JSON object of strings")
    }
    try StandardOutput.line(try Self.start(spec, secrets: secrets, root: try location.resolve()))
  }

  static func start(_ spec: TaskSpec, secrets: [String: String], root: String) throws -> StartAnswer {
    let directory = AttemptDirectory(root: root, id: spec.attempt)
    if directory.isKnown {
      _ = try directory.settle()
      return .started
    }
    if let reason = SpecCheck.refusal(of: spec, secrets: secrets, uid: getuid()) { return .refused(reason) }
    var seen: Set<SourceTree> = []
    let missing = (spec.needsSource ? spec.source.trees : []).filter {
      seen.insert($0).inserted && !SourceMirror(root: root, name: $0.mirror).holds($0)
    }
    if !missing.isEmpty {
      return .missing(
        missing.map { tree in
          .init(mirror: tree.mirror, commit: tree.commit, have: SourceMirror(root: root, name: tree.mirror).tips(for: tree))
        })
    }
    let blobs = try BlobStore(root: root + "/blobs")
    let absent = blobs.missing(spec.inputs)
    if !absent.isEmpty { return .missingBlobs(absent) }
    // From here on they are as good as new for `gc`, which keeps what a known attempt's spec names.
    for blob in spec.inputs { utimensat(AT_FDCWD, blobs.path(blob.digest), nil, 0) }
    do {
      return try begin(spec, secrets: secrets, in: directory, root: root)
    } catch let error as AttemptError where error.isOutOfSpace {
      // Room for the attempt's first files; the runner makes more.
      guard try GarbageCollection(root: root).makeRoom(for: 64 << 20) > 0 else { throw error }
      return try begin(spec, secrets: secrets, in: directory, root: root)
    }
  }

  /// Writes the attempt's first files and starts its runner.
  private static func begin(_ spec: TaskSpec, secrets: [String: String], in directory: AttemptDirectory, root: String) throws -> StartAnswer {
    try directory.create()
    guard let lock = try AttemptLock.acquire(directory.lockPath, waiting: 5) else {
      if directory.isKnown { return .started }
      throw WorkerExit(status: 1, message: "the lock of \(spec.attempt) is held, but nothing was started")
    }
    if directory.isKnown { return .started }
    try directory.write(spec)
    try lock.note(LockHolder(pid: try detach(spec.attempt, secrets: secrets, root: root, lock: lock)))
    return .started
  }

  /// Spawns the runner in a session of its own with the lock's open file; secrets go through a pipe.
  private static func detach(_ attempt: AttemptID, secrets: [String: String], root: String, lock: AttemptLock) throws -> pid_t {
    let pipe = try ChildPipe.input(of: "the runner")
    let command = Command(
      RootOption.program() ?? "/proc/self/exe", ["run", attempt.description, "--lock-descriptor", "3", "--root", root],
      environment: ProcessInfo.processInfo.environment.filter { $0.key != "SSH_ORIGINAL_COMMAND" }, directory: root)
    let runner = try ChildProcess.spawn(
      command, descriptors: ChildDescriptors(input: pipe.childEnd, more: [lock.descriptor]), group: .session)
    let bytes = try CanonicalJSON.encode(secrets)
    // SpecCheck bounds them below what a pipe takes without a reader.
    _ = bytes.withUnsafeBytes { write(pipe.own, $0.baseAddress, $0.count) }
    return runner.id
  }
}
