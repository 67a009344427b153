import Feed

/// What a package must not hold because an overlay file system or a container engine gives it a meaning of its own.
///
/// Sources: OCI image-spec layer.md ("Whiteouts"); kernel documentation of overlayfs (its `trusted.overlay.*` and `user.overlay.*` attributes).
enum OverlayRules {
  /// The rule that an entry breaks, or nil.
  static func violation(of entry: IpkEntry) -> String? {
    if entry.path.split(separator: UInt8(ascii: "/")).contains(where: { $0.starts(with: ".wh.".utf8) }) {
      return "names that begin with '.wh.' delete files of lower layers"
    }
    for name in entry.xattrs.keys.sorted() where name.hasPrefix("trusted.") || name.hasPrefix("user.overlay.") {
      return "attribute '\(name)' is reserved for overlay file systems"
    }
    for name in entry.xattrs.keys.sorted() where name.isEmpty || name.utf8.contains(UInt8(ascii: "=")) {
      return "attribute '\(name)' cannot be written to a layer"
    }
    return nil
  }
}
