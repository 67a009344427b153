import ArgumentParser
import BuildModel
import Glibc

/// `blockfarm-worker`: the verbs that a coordinator (or a person) runs on a build host, each in a process of its own.
@main
struct WorkerProgram: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "blockfarm-worker",
    abstract: "Builds one device type at a time for blockfarm, detached from whoever asked for it.",
    discussion: """
      As an SSH account's forced command it takes the verb from SSH_ORIGINAL_COMMAND. The root directory, where attempts, blobs, sources and \
      caches live, is --root, else BLOCKFARM_ROOT, else the root that the program was installed in, else ~/.blockfarm.
      """,
    version: "blockfarm-worker, protocol \(WorkerProtocol.version)",
    subcommands: [
      Probe.self, Start.self, Attach.self, Cancel.self, Blob.self, SourceCommand.self, List.self, Acknowledge.self, CollectGarbage.self, Run.self,
    ])

  @OptionGroup var location: RootOption

  /// Statuses: 2 usage, 3 unknown attempt, 1 anything else; one line on standard error.
  static func main() {
    signal(SIGPIPE, SIG_IGN)
    // A program that starts this one from a thread pool may pass on blocked signals; this one must be possible to end.
    var none = sigset_t()
    sigemptyset(&none)
    sigprocmask(SIG_SETMASK, &none, nil)
    umask(0o022)
    do {
      let words = try ForcedCommand.arguments(
        Array(CommandLine.arguments.dropFirst()), original: getenv("SSH_ORIGINAL_COMMAND").map { String(cString: $0) })
      var command = try parseAsRoot(words)
      try command.run()
    } catch let error as WorkerExit {
      finish(error.status, error.message)
    } catch is StandardOutput.Closed {
      // The reader is gone, with the connection. Attempts do not care.
      finish(0, nil)
    } catch {
      let status = exitCode(for: error)
      if status == .success {
        try? StandardOutput.write(Array((fullMessage(for: error) + "\n").utf8))
        finish(0, nil)
      }
      finish(status == .validationFailure ? 2 : 1, status == .validationFailure ? fullMessage(for: error) : "\(error)")
    }
  }

  private static func finish(_ status: Int32, _ message: String?) -> Never {
    if let message {
      let bytes = Array("blockfarm-worker: \(message.prefix(4000))\n".utf8)
      _ = bytes.withUnsafeBytes { write(2, $0.baseAddress, $0.count) }
    }
    Glibc.exit(status)
  }
}
