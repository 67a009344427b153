import BuildModel
import FoundationEssentials
import Glibc
import Processes

/// Runs git, bounded in time and output, with an environment that nothing can steer. Synchronous.
package enum GitCommand {
  /// Runs `git -C <directory> <arguments>` and returns its standard output; throws with git's own last line when it fails.
  ///
  /// `passing` names variables of this process's environment that git may see (a clone over SSH needs `SSH_AUTH_SOCK`); by default none.
  package static func run(
    _ arguments: [String], in directory: String, repository: String, limitSeconds: Double = 120, outputLimit: Int = 64 << 20,
    passing: [String] = []
  ) throws(PlanningError) -> [UInt8] {
    func failed(_ reason: String) -> PlanningError {
      .repository(name: repository, reason: "git \(arguments.first { !$0.hasPrefix("-") && !$0.contains("=") } ?? ""): \(reason)", hint: "")
    }
    var output: [UInt8] = []
    var complaints = OutputTail(limit: 2000)
    let end: ChildEnd
    do {
      // In the caller's group: ssh may ask for a passphrase at the terminal, and Ctrl-C ends git as well.
      end = try ChildProcess.run(
        command(arguments, in: directory, passing: passing), limits: .total(limitSeconds), group: .callers, errors: { complaints.append($0) }
      ) { piece in
        guard piece.count <= outputLimit - output.count else { throw ProcessError.tooMuchOutput(program: "git", limit: outputLimit) }
        output.append(contentsOf: piece)
      }
    } catch ProcessError.tooMuchOutput {
      throw failed("more than \(outputLimit >> 20) MiB of output")
    } catch {
      throw failed("cannot be started: \(error)")
    }
    switch end {
    case .exited(0): return output
    case .exited(let status): throw failed(reason(complaints.text) ?? "status \(status)")
    case .signalled(let signal): throw failed("ended by signal \(ChildEnd.signalName(signal))")
    case .silent, .overdue, .cancelled: throw failed("no end after \(Int(limitSeconds)) s")
    }
  }

  private static func command(_ arguments: [String], in directory: String, passing: [String]) throws(ProcessError) -> Command {
    let search = getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin"
    guard let program = Command.find("git", in: search) else { throw .notFound(program: "git", path: search) }
    var environment = [
      "PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0",
      "GIT_OPTIONAL_LOCKS": "0",
    ]
    for name in passing { if let value = getenv(name) { environment[name] = String(cString: value) } }
    let settings = ["safe.directory=*", "core.fsmonitor=false", "core.quotepath=false"].flatMap { ["-c", $0] }
    return Command(program, ["-C", directory] + settings + arguments, environment: environment)
  }

  /// The line of git's complaints that names what is wrong; hints may follow it. nil when there is none.
  private static func reason(_ complaints: String) -> String? {
    let lines = complaints.split(separator: "\n")
    return (lines.last { $0.hasPrefix("fatal:") || $0.hasPrefix("error:") } ?? lines.last).map(String.init)
  }
}
