import Glibc

/// A program with its arguments, its whole environment and its directory.
package struct Command: Sendable {
  /// Absolute path, or a name that is looked up in the environment's PATH.
  package var program: String
  package var arguments: [String]
  /// Nothing is inherited: what is not here the program does not see.
  package var environment: [String: String]
  package var directory: String

  package init(_ program: String, _ arguments: [String], environment: [String: String], directory: String) {
    self.program = program
    self.arguments = arguments
    self.environment = environment
    self.directory = directory
  }

  /// The absolute path of the program.
  package func resolved() throws(ProcessError) -> String {
    if program.contains("/") {
      guard access(program, X_OK) == 0 else { throw .system(operation: "run", subject: program, errno: errno) }
      return program
    }
    guard let path = Self.find(program, in: environment["PATH"] ?? "") else { throw .notFound(program: program) }
    return path
  }

  /// The first executable of that name in a colon-separated list of directories.
  package static func find(_ name: String, in path: String) -> String? {
    for directory in path.split(separator: ":") {
      let candidate = "\(directory)/\(name)"
      if access(candidate, X_OK) == 0 { return candidate }
    }
    return nil
  }
}

/// How long a child may take. An end by one of these bounds is a result, not an error.
package struct ChildLimits: Sendable {
  /// Seconds without output.
  package var silentSeconds: Double
  /// When it must have ended, in seconds of the monotonic clock (see ``MonotonicClock``).
  package var deadline: Double

  package init(silentSeconds: Double, deadline: Double) {
    self.silentSeconds = silentSeconds
    self.deadline = deadline
  }

  /// A bound on the total alone.
  package static func total(_ seconds: Double) -> ChildLimits {
    ChildLimits(silentSeconds: seconds, deadline: MonotonicClock.now + seconds)
  }
}

/// The clock that deadlines are measured with; it does not jump.
package enum MonotonicClock {
  /// Seconds since some moment before the program started.
  package static var now: Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}
