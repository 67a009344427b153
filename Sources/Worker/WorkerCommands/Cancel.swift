import ArgumentParser
import Attempt
import BuildModel
import Containers
import FoundationEssentials
import Glibc
import Processes
import Yocto

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
      let environment = BuildEnvironment.make(inherited: ProcessInfo.processInfo.environment, mark: [:], secrets: [:])
      try AttemptContainers(attempt: directory.id.description, directories: directory.directories, environment: environment)?.remove()
      _ = try directory.end(with: Failure(kind: .cancelled, step: nil, reason: "cancelled"))
    }
    return CancelAnswer(attempt: directory.id, known: true, wasRunning: wasRunning)
  }

  /// The runner that the lock file names, if that process is it: ids are used again. `start` may just be about to write it.
  private static func holder(of directory: AttemptDirectory) throws -> pid_t? {
    let limit = MonotonicClock.now + 2
    while MonotonicClock.now < limit {
      if let holder = LockHolder(lockFile: directory.lockPath), holder.bootID == LockHolder.currentBootID {
        let words = (BoundedFile.contents("/proc/\(holder.pid)/cmdline", limit: 65536) ?? []).split(separator: 0)
        return words.contains { $0.elementsEqual(directory.id.description.utf8) } ? holder.pid : nil
      }
      poll(nil, 0, 10)
    }
    return nil
  }
}
