import BuildModel

/// Which assets a hostapp release must have before it may become final (balena-yocto-scripts' workflow, "verify release assets").
package enum AssetRules {
  /// A rule that is met by one key, or by any key below a directory.
  package enum Rule: Hashable, Sendable, CustomStringConvertible {
    case file(String)
    case anyBelow(String)

    package var description: String {
      switch self {
      case .file(let key): key
      case .anyBelow(let directory): directory + "/…"
      }
    }

    package func isMet(by keys: Set<String>) -> Bool {
      switch self {
      case .file(let key): keys.contains(key)
      case .anyBelow(let directory): keys.contains { $0.hasPrefix(directory + "/") && $0.utf8.count > directory.utf8.count + 1 }
      }
    }
  }

  /// What every hostapp release has, whatever the device type.
  package static let always: [Rule] = [.file("VERSION"), .file("VERSION_HOSTOS"), .file("device-type.json")]

  /// The rules for a device type. The placeholder `edge`, container-only and archive types have no disk image in parts.
  package static func rules(for deviceType: DeviceType) -> [Rule] {
    var rules = always
    let yocto = deviceType.yocto
    guard deviceType.slug.text != "edge", yocto.deployArtifact != "docker-image", !yocto.archive else { return rules }
    rules += [.file("image.json"), .anyBelow("compressed")]
    if yocto.deployFlasherArtifact != nil { rules += [.file("image-flasher.json"), .anyBelow("compressed-flasher")] }
    if yocto.deployRawArtifact != nil { rules += [.file("image-raw.json"), .anyBelow("compressed-raw")] }
    return rules
  }

  /// The rules that a set of asset keys does not meet.
  package static func unmet(_ rules: [Rule], by keys: some Sequence<String>) -> [Rule] {
    let keys = Set(keys)
    return rules.filter { !$0.isMet(by: keys) }
  }
}
