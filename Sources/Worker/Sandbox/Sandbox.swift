import Glibc
import Processes

/// What a program of a repository sees of the host, as a value. ``command(_:)`` starts programs with it.
///
/// The root is read-only. Where people, agents, daemons and other attempts have their files, there are empty directories. Mounts, processes and
/// interprocess communication are its own; the network is the host's, for builds fetch. All paths are absolute, without links.
package struct Sandbox: Sendable, Hashable {
  /// Directories of which nothing is there.
  package var hidden: [String]
  /// What is shown read-only within hidden ones.
  package var readable: [String]
  /// Directories that programs may change.
  package var writable: [String]
  /// Devices beyond null, zero, random and the like; left out where the host does not have them.
  package var devices: [String]
  /// The directory of the attempt that is /tmp and /var/tmp there. Its ``homeName`` is HOME.
  package var temporary: String
  /// Whether /var/run leads to /run, as it does nearly everywhere.
  package var linksRun: Bool
  /// How many processes and threads it may have at once.
  package var processLimit: Int
  /// The two programs that start it.
  package var tools: Tools

  /// Where its own programs are on the host.
  package struct Tools: Sendable, Hashable {
    package var bubblewrap: String
    /// Of util-linux: sets limits, then runs a program.
    package var prlimit: String

    package init(bubblewrap: String, prlimit: String) {
      self.bubblewrap = bubblewrap
      self.prlimit = prlimit
    }
  }

  /// Processes of a build on many cores, each with its threads, stay below it; a fork bomb does not take all that a host has.
  package static let processes = 16384
  package static let homeName = "home"

  /// ``processes``, or what the account may have where that is less.
  package static var processLimitOfAccount: Int {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(__RLIMIT_NPROC.rawValue), &limit) == 0 else { return processes }
    return Int(min(limit.rlim_max, rlim_t(processes)))
  }

  package init(
    hidden: [String], readable: [String] = [], writable: [String], devices: [String] = [], temporary: String, linksRun: Bool = true,
    processLimit: Int = Sandbox.processes, tools: Tools
  ) {
    self.hidden = hidden
    self.readable = readable
    self.writable = writable
    self.devices = devices
    self.temporary = temporary
    self.linksRun = linksRun
    self.processLimit = processLimit
    self.tools = tools
  }

  /// Makes what it needs of the host: HOME, below ``temporary``.
  package func prepare() throws(ProcessError) {
    let home = "\(temporary)/\(Self.homeName)"
    if mkdir(home, 0o700) != 0, errno != EEXIST { throw .system(operation: "mkdir", subject: home, errno: errno) }
  }
}
