import ArgumentParser
import Attempt
import BuildModel
import FoundationEssentials
import Glibc
import Processes

/// Ends an attempt.
struct Cancel: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "End an attempt with all its processes; answers when they are gone.")
  @Argument var attempt: AttemptID
  @OptionGroup var location: RootOption

  func run() throws {
    try StandardOutput.begin()
    try StandardOutput.line(try Self.cancel(AttemptDirectory(root: try location.resolve(), id: attempt)))
  }

  /// The runner is asked first (it knows its children best), then ended by force.
  static func cancel(_ directory: AttemptDirectory) throws -> CancelAnswer {
    guard directory.isKnown else { return CancelAnswer(attempt: directory.id, known: false, wasRunning: false) }
    var wasRunning = false
    var lock = try AttemptLock.acquire(directory.lockPath)
    if lock == nil {
      wasRunning = true
      let holder = try Self.holder(of: directory)
      if let holder { kill(holder, SIGTERM) }
      lock = try AttemptLock.acquire(directory.lockPath, waiting: 25)
      if lock == nil {
        let (_, gone) = directory.processes.end(of: holder, grace: 0)
        if let holder { kill(holder, SIGKILL) }
        lock = try AttemptLock.acquire(directory.lockPath, waiting: 10)
        guard gone, lock != nil else {
          throw WorkerExit(status: 1, message: "processes of \(directory.id) cannot be ended")
        }
      }
    }
    try withExtendedLifetime(lock) {
      let left = directory.processes.end(of: nil, grace: 5)
      guard left.gone else { throw WorkerExit(status: 1, message: "processes of \(directory.id) cannot be ended") }
      wasRunning = wasRunning || left.any
      try Containers.remove(mounting: directory.path)
      _ = try directory.end(with: Failure(kind: .cancelled, step: nil, reason: "cancelled"))
    }
    return CancelAnswer(attempt: directory.id, known: true, wasRunning: wasRunning)
  }

  /// The runner that the lock file names, if that process is it: ids are used again. `start` may just be about to write it.
  private static func holder(of directory: AttemptDirectory) throws -> pid_t? {
    let limit = MonotonicClock.now + 2
    while MonotonicClock.now < limit {
      if let holder = LockHolder(lockFile: directory.lockPath), holder.bootID == LockHolder.currentBootID {
        let words = (ProcessTree.contents("/proc/\(holder.pid)/cmdline", limit: 65536) ?? []).split(separator: 0)
        return words.contains { $0.elementsEqual(directory.id.description.utf8) } ? holder.pid : nil
      }
      poll(nil, 0, 10)
    }
    return nil
  }
}

/// Containers that a build started.
enum Containers {
  /// Removes every container that mounts something at or below `directory`. Nothing is done where there is no dockerd.
  static func remove(mounting directory: String) throws {
    let path = getenv("PATH").map { String(cString: $0) } ?? "/usr/local/bin:/usr/bin:/bin"
    guard access("/var/run/docker.sock", W_OK) == 0, Command.find("docker", in: path) != nil else { return }
    func docker(_ arguments: [String]) throws -> String {
      let command = Command("docker", arguments, environment: ["PATH": path, "HOME": "/nonexistent"], directory: "/")
      let (end, output) = try ChildProcess.capture(command, seconds: 15)
      guard end == .exited(0) else { throw WorkerExit(status: 1, message: "docker \(arguments[0]): \(output.prefix(300))") }
      return output
    }
    let all = try docker(["ps", "--all", "--quiet", "--no-trunc"]).split(separator: "\n").map(String.init)
    if all.isEmpty { return }
    let mounts = try docker(["inspect", "--format", "{{.Id}}{{range .Mounts}}\t{{.Source}}{{end}}"] + all)
    for line in mounts.split(separator: "\n") {
      let fields = line.split(separator: "\t")
      guard fields.dropFirst().contains(where: { $0 == directory || $0.hasPrefix(directory + "/") }) else { continue }
      _ = try docker(["rm", "--force", "--volumes", String(fields[0])])
    }
  }
}
