import Glibc
import Processes

/// Why a host cannot start a sandbox.
package enum SandboxObstacle: Error, Hashable, CustomStringConvertible {
  /// A program that is not there, and the package that brings it.
  case missing(program: String, package: String)
  /// A kernel setting keeps ordinary accounts from making namespaces: `name=value`, and what changes it.
  case forbidden(setting: String, remedy: String)
  /// What bubblewrap wrote.
  case failed(String)

  package var description: String {
    switch self {
    case .missing(let program, let package):
      "\(program) is not installed; install the package \(package) ('apt-get install \(package)' on Debian and Ubuntu, 'dnf install \(package)' on "
        + "Fedora)"
    case .forbidden(let setting, let remedy): "\(setting) keeps ordinary accounts from starting a sandbox; \(remedy)"
    case .failed(let output): "bubblewrap cannot start a sandbox: \(output)"
    }
  }

  /// The host's programs for a sandbox.
  package static func tools(path: String) throws(SandboxObstacle) -> Sandbox.Tools {
    guard let bubblewrap = Command.find("bwrap", in: path) else { throw .missing(program: "bwrap", package: "bubblewrap") }
    guard let prlimit = Command.find("prlimit", in: path) else { throw .missing(program: "prlimit", package: "util-linux") }
    return Sandbox.Tools(bubblewrap: bubblewrap, prlimit: prlimit)
  }

  /// Starts a sandbox that does nothing; throws what keeps the host from doing so.
  package static func tryOut(_ sandbox: Sandbox) throws(SandboxObstacle) {
    let (end, output): (ChildEnd, String)
    do {
      let trial = Command("true", [], environment: ["PATH": "/usr/local/bin:/usr/bin:/bin"])
      (end, output) = try ChildProcess.capture(sandbox.command(trial), seconds: 30, limit: 64 << 10)
    } catch {
      throw .failed("\(error)")
    }
    if end == .exited(0) { return }
    if getuid() != 0, let setting = forbiddingSetting { throw setting }
    let lines = OutputTail.printable(output.utf8).split(separator: "\n").suffix(3).joined(separator: "; ")
    throw .failed(lines.isEmpty ? "it ended without a word (\(end))" : String(lines.prefix(500)))
  }

  /// The setting of this kernel that forbids user namespaces to ordinary accounts; nil where none does.
  private static var forbiddingSetting: SandboxObstacle? {
    let settings = [
      ("kernel/unprivileged_userns_clone", "0", "an administrator allows it with 'sysctl kernel.unprivileged_userns_clone=1'"),
      ("user/max_user_namespaces", "0", "an administrator allows it with 'sysctl user.max_user_namespaces=10000'"),
      (
        "kernel/apparmor_restrict_unprivileged_userns", "1",
        "an administrator gives /usr/bin/bwrap an AppArmor profile that allows 'userns' (Ubuntu's package apparmor-profiles has bwrap-userns-restrict)"
      ),
    ]
    for (path, forbidding, remedy) in settings {
      let value = String(decoding: (BoundedFile.contents("/proc/sys/" + path, limit: 64) ?? []).filter { $0 > 32 }, as: UTF8.self)
      if value == forbidding { return .forbidden(setting: "\(path.replacing("/", with: "."))=\(value)", remedy: remedy) }
    }
    return nil
  }
}
