import FoundationEssentials

/// The architecture of a device type or of a worker host, in balena's spelling.
package enum Architecture: String, Codable, Hashable, Sendable, CaseIterable, Comparable, CustomStringConvertible {
  case aarch64
  case armv7hf
  case rpi
  case amd64
  case i386
  case i386NoLockPrefix = "i386-nlp"

  package var description: String { rawValue }

  /// The OCI platform of images for this architecture (the mapping of balena's own image builder).
  package var platform: Platform {
    switch self {
    case .aarch64: Platform(os: "linux", architecture: "arm64", variant: "v8")
    case .armv7hf: Platform(os: "linux", architecture: "arm", variant: "v7")
    case .rpi: Platform(os: "linux", architecture: "arm", variant: "v6")
    case .amd64: Platform(os: "linux", architecture: "amd64", variant: nil)
    case .i386, .i386NoLockPrefix: Platform(os: "linux", architecture: "386", variant: nil)
    }
  }

  /// What a host whose kernel calls itself so (`uname -m`) can be proposed for.
  ///
  /// Yocto cross-compiles: an x86-64 host builds every device type (all upstream builds run there). ARM hosts are proposed for what they run natively.
  package static func proposed(forKernel machine: String) -> [Architecture] {
    switch machine {
    case "x86_64", "amd64": allCases
    case "aarch64", "arm64": [.aarch64, .armv7hf, .rpi]
    case "armv7l", "armv8l": [.armv7hf, .rpi]
    case "armv6l": [.rpi]
    case "i686", "i586", "i386": [.i386, .i386NoLockPrefix]
    default: []
    }
  }

  package static func < (a: Architecture, b: Architecture) -> Bool { a.rawValue < b.rawValue }
}

/// An OCI platform. `linux/arm64` and `linux/arm64/v8` are the same platform (see ``matches(_:)``).
package struct Platform: Codable, Hashable, Sendable, CustomStringConvertible {
  package let os: String
  package let architecture: String
  package let variant: String?

  package init(os: String, architecture: String, variant: String?) {
    self.os = os
    self.architecture = architecture
    self.variant = variant
  }

  /// Takes `os/architecture` or `os/architecture/variant`; nil when the text is anything else.
  package init?(_ text: String) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard (2...3).contains(parts.count), parts.allSatisfy({ !$0.isEmpty }) else { return nil }
    self.init(os: parts[0], architecture: parts[1], variant: parts.count == 3 ? parts[2] : nil)
  }

  package var description: String { ([os, architecture] + (variant.map { [$0] } ?? [])).joined(separator: "/") }

  /// Equality that takes `v8` as the default variant of arm64.
  package func matches(_ other: Platform) -> Bool {
    os == other.os && architecture == other.architecture && effectiveVariant == other.effectiveVariant
  }

  /// Whether an image of this platform is one for `other`: a variant that only one of the two names decides nothing.
  package func fits(_ other: Platform) -> Bool {
    guard os == other.os, architecture == other.architecture else { return false }
    guard let own = effectiveVariant, let theirs = other.effectiveVariant else { return true }
    return own == theirs
  }

  private var effectiveVariant: String? { architecture == "arm64" ? variant ?? "v8" : variant }
}
