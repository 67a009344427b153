import Processes

extension Sandbox {
  /// Variables that lead to a daemon, an agent or a login of the account.
  private static let accountVariables: Set<String> = [
    "DOCKER_HOST", "DOCKER_CONFIG", "REGISTRY_AUTH_FILE", "CONTAINERS_CONF", "CONTAINERS_STORAGE_CONF", "STORAGE_DRIVER", "BUILDAH_ISOLATION",
    "GPG_AGENT_INFO", "GNUPGHOME", "KRB5CCNAME", "DISPLAY", "WAYLAND_DISPLAY", "MAIL", "OLDPWD",
  ]

  /// An environment as programs in the sandbox have it. `keepsDocker`: they are given docker's socket, and where it is.
  package static func environment(from host: [String: String], keepsDocker: Bool) -> [String: String] {
    var inside = host.filter { name, _ in
      if name == "DOCKER_HOST" { return keepsDocker }
      return !accountVariables.contains(name) && !["SSH_", "DBUS_", "XDG_", "GPG_"].contains(where: name.hasPrefix)
    }
    inside["HOME"] = "/tmp/\(homeName)"
    inside["TMPDIR"] = "/tmp"
    return inside
  }

  /// The same program, run in the sandbox. Its environment is taken as it is.
  package func command(_ inner: Command) -> Command {
    Command(
      tools.bubblewrap,
      arguments + (inner.directory.map { ["--chdir", $0] } ?? [])
        + ["--", tools.prlimit, "--nproc=\(processLimit)", "--core=0", "--", inner.program] + inner.arguments,
      environment: inner.environment, directory: "/")
  }

  /// bubblewrap's own arguments, in the order in which it carries them out (bwrap(1)). They need version 0.4, of Debian 11.
  package var arguments: [String] {
    var words = ["--die-with-parent", "--new-session", "--cap-drop", "ALL"]
    words += ["user", "cgroup"].map { "--unshare-\($0)-try" } + ["pid", "ipc", "uts"].map { "--unshare-\($0)" }
    words += ["--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/dev/shm", "--remount-ro", "/dev"]
    for device in devices.sorted() { words += ["--dev-bind-try", device, device] }
    let places = emptied
    // Those in /tmp lie in the attempt's own.
    for place in places where !Self.isTemporary(place) { words += ["--tmpfs", place] }
    if linksRun, places.contains("/var") { words += ["--symlink", "/run", "/var/run"] }
    for place in Self.temporaries { words += ["--bind", temporary, place] }
    for place in places where Self.isTemporary(place) { words += ["--tmpfs", place] }
    for mount in mounts { words += [mount.isWritable ? "--bind" : "--ro-bind", mount.source, mount.place] }
    // Last, for directories had to be made in them.
    for place in places { words += ["--remount-ro", place] }
    return words
  }

  private struct Mount {
    var source: String
    var place: String
    var isWritable: Bool
  }

  private static let temporaries = ["/tmp", "/var/tmp"]

  private static func isTemporary(_ place: String) -> Bool { temporaries.contains { covers($0, place) } }

  /// Hidden directories that do not lie in another one, and are not /tmp, which is another directory there.
  private var emptied: [String] {
    let all = Set(hidden).subtracting(Self.temporaries)
    return all.filter { place in !all.contains { $0 != place && Self.covers($0, place) } }.sorted()
  }

  /// Outer ones first.
  private var mounts: [Mount] {
    let all =
      readable.map { Mount(source: $0, place: $0, isWritable: false) } + writable.map { Mount(source: $0, place: $0, isWritable: true) }
    func depth(_ mount: Mount) -> Int { mount.place.utf8.count { $0 == UInt8(ascii: "/") } }
    return all.enumerated().sorted { (depth($0.element), $0.offset) < (depth($1.element), $1.offset) }.map(\.element)
  }

  /// Whether a path is a directory or lies below it.
  package static func covers(_ directory: String, _ path: String) -> Bool {
    path == directory || path.hasPrefix(directory == "/" ? "/" : directory + "/")
  }
}
