import Glibc

/// A program with its arguments, its whole environment and its directory.
package struct Command: Sendable {
  /// A path (a relative one begins at `directory`), or a name that is looked up in the environment's PATH.
  package var program: String
  package var arguments: [String]
  /// Nothing is inherited: what is not here the program does not see.
  package var environment: [String: String]
  /// Where the program starts; nil: where its caller is.
  package var directory: String?

  package init(_ program: String, _ arguments: [String], environment: [String: String], directory: String? = nil) {
    self.program = program
    self.arguments = arguments
    self.environment = environment
    self.directory = directory
  }

  /// The path of the program.
  package func resolved() throws(ProcessError) -> String {
    guard program.contains("/") else {
      let search = environment["PATH"] ?? ""
      guard let path = Self.find(program, in: search) else { throw .notFound(program: program, path: search) }
      return path
    }
    let place = program.hasPrefix("/") ? program : directory.map { "\($0)/\(program)" } ?? program
    guard access(place, X_OK) == 0 else { throw .system(operation: "run", subject: place, errno: errno) }
    return program
  }

  /// The first executable file of that name in a colon-separated list of directories.
  package static func find(_ name: String, in path: String) -> String? {
    for directory in path.split(separator: ":") {
      let candidate = "\(directory)/\(name)"
      var status = stat()
      if stat(candidate, &status) == 0, status.st_mode & S_IFMT == S_IFREG, access(candidate, X_OK) == 0 { return candidate }
    }
    return nil
  }
}
