/// What a build sees of the worker's environment: what programs need to run and to reach their proxies, nothing else.
package enum BuildEnvironment {
  private static let passed: Set<String> = [
    "PATH", "HOME", "USER", "LOGNAME", "SHELL", "TMPDIR", "TZ", "http_proxy", "https_proxy", "ftp_proxy", "all_proxy", "no_proxy", "HTTP_PROXY",
    "HTTPS_PROXY", "FTP_PROXY", "ALL_PROXY", "NO_PROXY", "GIT_PROXY_COMMAND", "SSL_CERT_FILE", "SSL_CERT_DIR", "BB_NUMBER_THREADS", "PARALLEL_MAKE",
    // Where container tools find their daemon, registry logins, storage and isolation.
    "DOCKER_HOST", "DOCKER_CONFIG", "REGISTRY_AUTH_FILE", "CONTAINERS_CONF", "CONTAINERS_STORAGE_CONF", "STORAGE_DRIVER", "BUILDAH_ISOLATION",
    "XDG_RUNTIME_DIR", "HELPER_IMAGE_REPO",
  ]

  /// `inherited` reduced to what is passed on, with the attempt's own entries and secrets over it. bitbake demands a UTF-8 locale.
  package static func make(inherited: [String: String], mark: [String: String], secrets: [String: String]) -> [String: String] {
    var environment = inherited.filter { passed.contains($0.key) }
    environment["PATH"] = environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
    environment["LANG"] = "C.UTF-8"
    environment["LC_ALL"] = "C.UTF-8"
    environment["TERM"] = "dumb"
    return environment.merging(secrets) { _, new in new }.merging(mark) { _, new in new }
  }
}
