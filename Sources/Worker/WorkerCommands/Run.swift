import ArgumentParser
import Attempt
import BuildModel
import CanonicalJSON
import FoundationEssentials
import Glibc

/// The detached runner; only `start` calls it.
struct Run: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Run a started attempt (internal).", shouldDisplay: false)
  @Argument var attempt: AttemptID
  @Option(help: "The descriptor that holds the attempt's lock.") var lockDescriptor: Int32
  @OptionGroup var location: RootOption

  func run() throws {
    let root = try location.resolve()
    let directory = AttemptDirectory(root: root, id: attempt)
    let lock = AttemptLock(inherited: lockDescriptor, path: directory.lockPath)
    // Without a reader for its complaints; the next one does what this one could not.
    defer { _ = try? GarbageCollection(root: root).collect() }
    try withExtendedLifetime(lock) {
      do {
        let secrets = try readSecrets()
        let runner = try AttemptRunner(
          directory: directory, root: root, inherited: ProcessInfo.processInfo.environment, secrets: secrets)
        _ = try runner.run()
      } catch {
        // Nobody reads this process's output: what is wrong must stand in the outcome, if that can still be written.
        _ = try directory.end(with: Failure(kind: .infrastructure, step: nil, reason: "the runner failed: \(error)"))
      }
    }
  }

  private func readSecrets() throws -> [String: String] {
    var bytes: [UInt8] = []
    try StandardInput.read { piece in
      guard bytes.count + piece.count <= SpecCheck.secretsLimit * 2 else { throw WorkerExit.usage("too many secrets") }
      bytes.append(contentsOf: piece)
    }
    let null = open("/dev/null", O_RDONLY | O_CLOEXEC)
    if null > 0 {
      dup2(null, 0)
      close(null)
    }
    return bytes.isEmpty ? [:] : try CanonicalJSON.decode([String: String].self, from: bytes)
  }
}
