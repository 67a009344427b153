import Feed

/// What a package must not hold because an overlay file system or a container engine gives it a meaning of its own, or because a layer cannot say it.
///
/// Sources: OCI image-spec layer.md ("Whiteouts"); kernel documentation of overlayfs (its `trusted.overlay.*` and `user.overlay.*` attributes);
/// POSIX pax, where a record without a value takes the attribute away.
enum LayerRules {
  /// The rule that an entry breaks, or nil.
  static func violation(of entry: IpkEntry, allowsDevices: Bool) -> String? {
    switch entry.kind {
    case .characterDevice(0, 0): return "character device 0:0 deletes a file of lower layers"
    case .characterDevice, .blockDevice:
      if !allowsDevices { return "devices are not allowed in this block" }
    case .directory, .file, .symlink, .hardlink: break
    }
    return violation(path: entry.path, xattrs: entry.xattrs)
  }

  static func violation(path: [UInt8], xattrs: [String: [UInt8]]) -> String? {
    if path.split(separator: UInt8(ascii: "/")).contains(where: { $0.starts(with: ".wh.".utf8) }) {
      return "names that begin with '.wh.' delete files of lower layers"
    }
    for name in xattrs.keys.sorted() where name.hasPrefix("trusted.") || name.hasPrefix("user.overlay.") {
      return "attribute '\(name)' is reserved for overlay file systems"
    }
    for name in xattrs.keys.sorted() where name.isEmpty || name.utf8.contains(UInt8(ascii: "=")) {
      return "attribute '\(name)' cannot be written to a layer"
    }
    for (name, value) in xattrs.sorted(by: { $0.key < $1.key }) where value.isEmpty {
      return "attribute '\(name)' has no value, which layers cannot express"
    }
    return nil
  }
}
