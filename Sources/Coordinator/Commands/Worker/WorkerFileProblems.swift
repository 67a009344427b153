import CoordinatorConfiguration

/// What the commands about hosts say of files that cannot be read.
enum WorkerFileProblems {
  /// Prints every complaint; then the command has failed for some, or for all where no host is left.
  static func check(_ files: HostFiles) throws {
    for problem in files.problems { Diagnostics.error(problem.description) }
    guard !files.problems.isEmpty else { return }
    throw CommandStatus(status: (files.hosts.isEmpty ? ExitStatus.usage : ExitStatus.failed).value)
  }
}
