import CLinux
import FoundationEssentials
import Glibc

/// The variables that the program was started with. They may hold secrets, so they are read once, and ``seal()`` takes them out of the process's own
/// environment: children do not inherit them, and `/proc/<pid>/environ` does not show them.
package enum CallerEnvironment {
  package static let variables = ProcessInfo.processInfo.environment

  /// What libraries (libc, libcurl, OpenSSL) and the search for programs read from the environment later on. A proxy's address may hold a password.
  private static let kept = [
    "PATH", "HOME", "USER", "LOGNAME", "SHELL", "TERM", "COLUMNS", "LINES", "TMPDIR", "TZ", "LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "LC_COLLATE",
    "LC_MESSAGES", "LC_NUMERIC", "LC_TIME", "SSH_AUTH_SOCK", "SSL_CERT_FILE", "SSL_CERT_DIR", "http_proxy", "https_proxy", "all_proxy", "no_proxy",
    "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY",
  ]

  /// Call it first, while the process has one thread. From then on no other process of the same account can read this one's memory, and a crash leaves
  /// none of it in a file; both hold for what the process is, so children that it starts can be debugged as ever, but leave no core file.
  package static func seal() throws(ConfigurationError) {
    // Before the environment is gone.
    _ = variables
    var names: [UnsafePointer<CChar>?] = kept.map { UnsafePointer(strdup($0)) }
    defer { for name in names { free(UnsafeMutablePointer(mutating: name)) } }
    var none = rlimit(rlim_cur: 0, rlim_max: 0)
    guard blockfarm_clean_environment(&names, names.count) == 0, blockfarm_forbid_dumps() == 0, setrlimit(__rlimit_resource_t(4), &none) == 0 else {
      throw ConfigurationError(file: "the program's environment", reason: "secrets cannot be removed from it: \(String(cString: strerror(errno)))")
    }
  }
}
