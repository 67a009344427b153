import BuildModel
import FoundationEssentials
import Glibc
import Processes

/// Runs git, bounded in time and output, with an environment that nothing can steer. Synchronous.
package enum GitCommand {
  /// Runs `git -C <directory> <arguments>` and returns its standard output; throws with git's own words when it fails, see ``GitComplaint``.
  ///
  /// `variables` are set for git, for instance an index of its own.
  /// `passing` names variables of this process's environment that git may see (a clone over SSH needs `SSH_AUTH_SOCK`); by default none.
  package static func run(
    _ arguments: [String], in directory: String, repository: String, limitSeconds: Double = 120, outputLimit: Int = 64 << 20,
    passing: [String] = [], variables: [String: String] = [:]
  ) throws(PlanningError) -> [UInt8] {
    func failed(_ reason: String, _ blame: Blame = .repository) -> PlanningError {
      .git(repository: repository, operation: arguments.first { !$0.hasPrefix("-") && !$0.contains("=") } ?? "", reason: reason, blame: blame)
    }
    var output: [UInt8] = []
    var complaint = GitComplaint()
    let end: ChildEnd
    do {
      // In the caller's group: ssh may ask for a passphrase at the terminal, and Ctrl-C ends git as well.
      end = try ChildProcess.run(
        command(arguments, in: directory, passing: passing, variables: variables), limits: .total(limitSeconds), group: .callers,
        errors: { complaint.append(Array($0)) }
      ) { piece in
        guard piece.count <= outputLimit - output.count else { throw ProcessError.tooMuchOutput(program: "git", limit: outputLimit) }
        output.append(contentsOf: piece)
      }
    } catch ProcessError.tooMuchOutput {
      throw failed("more than \(outputLimit >> 20) MiB of output")
    } catch {
      throw failed("cannot be started: \(error)", .coordinator)
    }
    switch end {
    case .exited(0): return output
    case .exited(let status):
      throw failed(complaint.reason ?? "status \(status)", complaint.isOutOfSpace ? .coordinator : complaint.unreachable ?? .repository)
    case .signalled(let signal): throw failed("ended by signal \(ChildEnd.signalName(signal))", .coordinator)
    case .silent, .overdue, .cancelled: throw failed("no end after \(Int(limitSeconds)) s")
    }
  }

  private static func command(
    _ arguments: [String], in directory: String, passing: [String], variables: [String: String]
  ) throws(ProcessError) -> Command {
    let search = getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin"
    guard let program = Command.find("git", in: search) else { throw .notFound(program: "git", path: search) }
    var environment = [
      "PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0",
      "GIT_OPTIONAL_LOCKS": "0",
    ]
    for name in passing { if let value = getenv(name) { environment[name] = String(cString: value) } }
    environment.merge(variables) { _, new in new }
    let settings = ["safe.directory=*", "core.fsmonitor=false", "core.quotepath=false"].flatMap { ["-c", $0] }
    return Command(program, ["-C", directory] + settings + arguments, environment: environment)
  }
}
