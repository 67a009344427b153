import ArgumentParser
import BuildModel
import FoundationEssentials
import Glibc

/// Where everything of this worker lives.
struct RootOption: ParsableArguments {
  @Option(name: .long, help: "The worker's root directory.")
  var root: String?

  /// The absolute path of the root; the directory is made where it is missing.
  func resolve() throws -> String {
    var path = root ?? Self.variable("BLOCKFARM_ROOT") ?? Self.installation() ?? "~/.blockfarm"
    if path == "~" || path.hasPrefix("~/") {
      guard let home = Self.variable("HOME"), home.hasPrefix("/") else { throw WorkerExit.usage("HOME is not set; give --root") }
      path = home + path.dropFirst()
    }
    guard path.hasPrefix("/") else { throw WorkerExit.usage("--root must be an absolute path, not '\(path)'") }
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    var made = ""
    for component in path.split(separator: "/") {
      made += "/\(component)"
      if mkdir(made, 0o755) != 0, errno != EEXIST, access(made, F_OK) != 0 {
        throw WorkerExit(status: 1, message: "mkdir \(made): \(String(cString: strerror(errno)))")
      }
    }
    // Processes are found by their directory, which the kernel names without links.
    guard let resolved = realpath(path, nil) else {
      throw WorkerExit(status: 1, message: "\(path): \(String(cString: strerror(errno)))")
    }
    defer { free(resolved) }
    return String(cString: resolved)
  }

  /// `<root>` when this program is `<root>/bin/<digest>/blockfarm-worker`.
  static func installation(of program: String? = Self.program()) -> String? {
    guard let parts = program?.split(separator: "/", omittingEmptySubsequences: false), parts.count >= 5,
      parts[parts.count - 3] == "bin", Digest(hex: String(parts[parts.count - 2])) != nil
    else { return nil }
    return parts.dropLast(3).joined(separator: "/")
  }

  /// The path of the running program; nil when it was deleted.
  static func program() -> String? {
    guard let resolved = realpath("/proc/self/exe", nil) else { return nil }
    defer { free(resolved) }
    return String(cString: resolved)
  }

  private static func variable(_ name: String) -> String? {
    guard let value = getenv(name) else { return nil }
    let text = String(cString: value)
    return text.isEmpty ? nil : text
  }
}

extension AttemptID: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }
}
