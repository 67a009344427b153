/// Who a line of a console points to, where it is not the repository.
///
/// The signs are message texts of bitbake 1.40 to 2.8, OE-core's sanity.bbclass and base.bbclass, barys, and of the tools that tasks run.
enum Suspect: Hashable, Sendable {
  /// The host: another one may do it.
  case host
  /// The network, or what is asked for over it.
  case network

  /// Who the line points to; the host before the network.
  static func inLine(_ line: some StringProtocol) -> Suspect? {
    let text = String(line)
    if resources.contains(where: text.contains) || equipment.contains(where: text.contains) { return .host }
    return networkSigns.contains(where: text.contains) ? .network : nil
  }

  /// Whom docker's own complaint points to, where no task called it: the container script goes on after a pull that failed.
  static func inLineOfDocker(_ line: String) -> Suspect? {
    line.hasPrefix("Error response from daemon: ") || line.hasPrefix("docker: ") ? .host : nil
  }

  /// Whether the line says that the host ran out of something, in whatever context.
  static func lacksResources(_ line: String) -> Bool { resources.contains(where: line.contains) }

  /// Disk, memory, processes.
  private static let resources = [
    "No space left on device", "no space left on device", "Disk quota exceeded", "Read-only file system", "Stale file handle",
    "Killed signal terminated program", "terminated with signal 9", "internal compiler error: Killed", "exit code 137", "exit code '137'",
    "exit code -9", "exit code '-9'", "', 137, None", "', -9, None",
    "annot allocate memory", "virtual memory exhausted", "Out of memory", "MemoryError",
    "JavaScript heap out of memory", "Too many open files", "Resource temporarily unavailable",
  ]

  /// Programs, settings and processes of the host.
  private static let equipment = [
    // bitbake's own processes
    "exited unexpectedly", "parser thread killed/died", "Unable to start bitbake server", "Unable to connect to bitbake server",
    "reply from the bitbake server", "No reply after pinging server", "fork failed", "max_user_watches", "User namespaces are not usable",
    "erver log for this session", "Server didn't start",
    "directory is not writable", "Failed to spawn fakeroot worker",
    // base.bbclass and sanity.bbclass
    "required tools (as specified by HOSTTOOLS)", "en_US.UTF-8", "locale setting which supports UTF-8", "missing utilities",
    "Do not use Bitbake as root", "Your version of ", "Please use a umask", "mmap_min_addr", "Failed to create a file",
    "do not appear to have write access", "setuid bit set", "update your Python interpreter", "Python 3 is not a full install",
    "Required perl module", "32-bit libc", "/bin/sh links to", "located on nfs", "case-insensitive file system", "Pseudo is not functioning",
    "TMPDIR is set", "without unreasonably limit", "python-distutils", "Unable to execute ",
    // the fetchers' programs
    "install git-lfs on host",
    // containers in tasks, and balena-build.sh
    "Cannot connect to the Docker daemon", "trying to connect to the Docker daemon", "trying to connect to the docker API",
    "Docker needs to be installed", "docker: command not found", "docker: not found",
    // barys and build-device-type-json.sh
    "'npm' package", "'nodejs' package", "nodejs installation", "'jq' package", "Python3 needs to be installed",
  ]

  private static let networkSigns = [
    "Could not resolve host", "unable to resolve host address", "name resolution", "no such host", "getaddrinfo", "EAI_AGAIN", "ENOTFOUND",
    "ECONNRESET", "ECONNREFUSED", "ETIMEDOUT", "Connection refused", "Connection timed out", "Connection reset by peer", "connection reset by peer",
    "Network is unreachable", "No route to host", "Failed to connect to", "dial tcp", "TLS handshake timeout", "i/o timeout", "Operation timed out",
    "toomanyrequests", "pull rate limit", "502 Bad Gateway", "503 Service", "504 Gateway", "gnutls_handshake", "SSL_connect", "RPC failed",
    "network is configured correctly", "Fetcher failure", "FetchError", "NetworkAccess(", "ChecksumError(",
  ]
}
