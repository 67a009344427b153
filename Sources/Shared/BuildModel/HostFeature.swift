/// Something that a host has and a build may need. A worker's probe finds it.
package struct HostFeature: Hashable, Sendable, Comparable, CustomStringConvertible {
  package let text: String

  /// A daemon that the account may use.
  package static let docker = HostFeature(known: "docker")
  /// buildah or docker: images can be built from Dockerfiles.
  package static let dockerfile = HostFeature(known: "dockerfile")
  package static let kvm = HostFeature(known: "kvm")
  package static let fuse = HostFeature(known: "fuse")
  package static let git = HostFeature(known: "git")
  /// The account is not root: bitbake refuses to run as root.
  package static let buildUser = HostFeature(known: "build-user")
  /// Blocks can be made from ipk packages.
  package static let ipk = HostFeature(known: "ipk")
  /// Builds run in a sandbox.
  package static let bubblewrap = HostFeature(known: "bubblewrap")
  /// Those that a configuration may ask for.
  package static let known = [docker, dockerfile, kvm, fuse, git, buildUser, ipk, bubblewrap]
  /// Programs of an architecture run, by the name that OCI gives it.
  package static func runs(_ architecture: String) -> HostFeature { HostFeature(known: "runs-" + architecture) }

  private init(known text: String) { self.text = text }

  /// Takes any text that a probe can state, also of a later worker: 1 to 64 letters, digits, `-`, `_` and `.`; nil for another.
  package init?(_ text: String) {
    let others = Array("-_.".utf8)
    guard (1...64).contains(text.utf8.count), text.utf8.allSatisfy({ $0.isLetterOrDigit || others.contains($0) }) else { return nil }
    self.text = text
  }

  package var description: String { text }
  package static func < (a: Self, b: Self) -> Bool { a.text < b.text }
}

extension HostFeature: Codable {
  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let feature = HostFeature(text) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a host's feature: \(text.prefix(80))")
    }
    self = feature
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(text)
  }
}
