import BuildModel
import CanonicalJSON
import FoundationEssentials

/// The image configuration (OCI image-spec config.md; Docker reads the same document).
package struct ImageConfig: Codable, Hashable, Sendable {
  package struct Container: Codable, Hashable, Sendable {
    package var Labels: [String: String]
    // Of images that were imported, where they have them; blocks that are assembled run nothing.
    package var Env: [String]?
    package var Entrypoint: [String]?
    package var Cmd: [String]?
    package var Volumes: [String: Empty]?
    package var WorkingDir: String?
    package var User: String?

    package init(Labels: [String: String]) { self.Labels = Labels }
  }
  /// `{}`, the value of each volume.
  package struct Empty: Codable, Hashable, Sendable {}
  package struct RootFS: Codable, Hashable, Sendable {
    package var type: String
    package var diff_ids: [Digest]
  }
  package struct History: Codable, Hashable, Sendable {
    package var created: String
    package var created_by: String
  }
  package var created: String
  package var architecture: String
  package var os: String
  package var variant: String?
  package var config: Container
  package var rootfs: RootFS
  package var history: [History]

  /// `created` is seconds since 1970. The platform is the device type's, never the building host's.
  package init(platform: Platform, labels: [String: String], diffIDs: [Digest], created epoch: Int64, createdBy: String) {
    let time = Date(timeIntervalSince1970: Double(epoch)).formatted(Date.ISO8601FormatStyle())
    created = time
    architecture = platform.architecture
    os = platform.os
    variant = platform.variant
    config = Container(Labels: labels)
    rootfs = RootFS(type: "layers", diff_ids: diffIDs)
    history = diffIDs.map { _ in History(created: time, created_by: createdBy) }
  }

  package var platform: Platform { Platform(os: os, architecture: architecture, variant: variant) }

  package func bytes() throws -> [UInt8] { try CanonicalJSON.encode(self) }
}
