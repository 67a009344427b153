import Glibc
import Processes

/// git as a child process that sees no user configuration, runs no hooks, asks nothing and reaches no network.
package struct Git: Sendable {
  /// The program; found in PATH.
  private let program: String
  private let path: String
  /// What each call may take unless it says otherwise.
  private static let seconds = 300.0
  private static let settings = [
    "core.hooksPath=/dev/null", "core.fsmonitor=false", "core.untrackedCache=false", "core.autocrlf=false", "gc.auto=0", "maintenance.auto=false",
    "submodule.recurse=false", "fetch.recurseSubmodules=false", "protocol.allow=never", "transfer.fsckObjects=true",
    "advice.detachedHead=false", "init.defaultBranch=main",
  ]
  /// What the attempt's processes carry.
  private let mark: [String: String]

  /// `mark` is added to git's environment, so that an attempt's git belongs to its process tree.
  package init(mark: [String: String] = [:]) {
    path = getenv("PATH").map { String(cString: $0) } ?? "/usr/local/bin:/usr/bin:/bin"
    program = "git"
    self.mark = mark
  }

  /// Runs git in a directory and returns its output; throws ``SourceError`` with that output when its status is not 0.
  @discardableResult
  package func run(
    _ arguments: [String], in directory: String, subject: String? = nil, seconds: Double = Git.seconds, input: Int32? = nil
  ) throws -> String {
    let operation = arguments.first ?? ""
    let (end, output): (ChildEnd, String)
    do {
      (end, output) = try ChildProcess.capture(command(arguments, in: directory), seconds: seconds, limit: 8 << 20, input: input)
    } catch {
      throw SourceError.git(operation: operation, subject: subject ?? directory, output: "\(error)")
    }
    switch end {
    case .exited(0): return output
    case .silent, .overdue, .cancelled:
      throw SourceError.timedOut(operation: operation, subject: subject ?? directory, seconds: seconds)
    case .exited, .signalled:
      let text = OutputTail.printable(output.utf8).split(separator: "\n").suffix(5).joined(separator: "; ")
      throw SourceError.git(operation: operation, subject: subject ?? directory, output: String(text.prefix(2000)))
    }
  }

  func command(_ arguments: [String], in directory: String) -> Command {
    var environment = [
      "PATH": path, "HOME": "/nonexistent", "LC_ALL": "C", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1",
      "GIT_TERMINAL_PROMPT": "0", "GIT_ALLOW_PROTOCOL": "none", "GIT_NO_REPLACE_OBJECTS": "1",
    ]
    environment.merge(mark) { _, new in new }
    return Command(
      program, Self.settings.flatMap { ["-c", $0] } + arguments, environment: environment, directory: directory)
  }
}
