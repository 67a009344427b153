import Glibc

/// Where a host keeps what no build needs, and what builds need of such places. Reads links; changes nothing.
package struct HostPlaces: Sendable, Hashable {
  package var hidden: [String]
  package var readable: [String]
  package var linksRun: Bool

  /// Files of people, of daemons and of running programs: their sockets are in /run, /var and homes.
  private static let privatePlaces = ["/home", "/root", "/run", "/var"]
  /// Certificates (openSUSE), programs of the system (NixOS), names of accounts (sssd): without them builds cannot run there.
  private static let neededPlaces = ["/var/lib/ca-certificates", "/run/current-system", "/var/lib/sss/mc"]
  /// Places that cannot be taken away: nothing would run.
  private static let systemPlaces = ["/usr", "/etc", "/bin", "/sbin", "/lib", "/lib64", "/opt", "/nix", "/dev", "/proc", "/sys", "/boot"]

  /// - Parameters:
  ///   - own: directories that are hidden besides: the account's home, the worker's root, and what the attempt's spec names.
  ///   - searchPath: the directories of PATH. Programs in a hidden one are shown, except in one of `own` itself.
  package init(hiding own: [String], searchPath: [String]) {
    let ownPlaces = own.compactMap(Self.resolved).filter { place in !Self.systemPlaces.contains { Sandbox.covers(place, $0) || place == $0 } }
    let hidden = Set(Self.privatePlaces.compactMap(Self.resolved) + ownPlaces)
    let isGone = { (path: String) in ["/tmp", "/var/tmp"].contains { Sandbox.covers($0, path) } || hidden.contains { Sandbox.covers($0, path) } }
    let programs = searchPath.compactMap(Self.resolved).filter { path in !hidden.contains { Sandbox.covers(path, $0) } }
    // A link of /etc to a file that systemd-resolved or NetworkManager writes.
    let names = Self.resolved("/etc/resolv.conf").map { [$0] } ?? []
    self.hidden = hidden.sorted()
    readable = Set((Self.neededPlaces.compactMap(Self.resolved) + programs + names).filter(isGone)).sorted()
    linksRun = Self.resolved("/var/run") == "/run"
  }

  /// The path without links; nil where nothing is there.
  package static func resolved(_ path: String) -> String? {
    guard path.hasPrefix("/"), let real = realpath(path, nil) else { return nil }
    defer { free(real) }
    return String(cString: real)
  }
}
