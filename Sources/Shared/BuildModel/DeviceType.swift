import FoundationEssentials

/// A balena device type as its manifest (`<file>.json` or `<file>.coffee`) states it.
package struct DeviceType: Codable, Hashable, Sendable {
  /// Life cycle; `absent` where the manifest says nothing (allowed since 2023).
  package enum State: String, Codable, Hashable, Sendable, CaseIterable {
    case released = "RELEASED"
    case new = "NEW"
    case discontinued = "DISCONTINUED"
    case experimental = "EXPERIMENTAL"
    case development = "DEVELOPMENT"
    case pending = "PENDING"
    case absent = ""
  }

  package let slug: Slug
  package let aliases: [String]
  /// The display name without the ` (STATE)` suffix that generated JSON files append.
  package let name: String
  package let arch: Architecture
  package let state: State
  package let yocto: Yocto
  /// File name of the manifest without its suffix.
  package let file: String

  /// The `yocto` section.
  package struct Yocto: Codable, Hashable, Sendable {
    package let machine: Machine
    /// bitbake targets of the image build, in order; empty means that nothing is to be built.
    package let image: [RecipeName]
    package let fstype: String?
    /// The Yocto codename: `yocto.version` without its prefix `yocto-`.
    package let codename: String
    /// Path below `deploy/images/<machine>/`, taken literally; or `docker-image`.
    package let deployArtifact: String
    package let deployFlasherArtifact: String?
    package let deployRawArtifact: String?
    package let compressed: Bool
    package let archive: Bool

    package init(
      machine: Machine, image: [RecipeName], fstype: String?, codename: String, deployArtifact: String,
      deployFlasherArtifact: String?, deployRawArtifact: String?, compressed: Bool, archive: Bool
    ) {
      self.machine = machine
      self.image = image
      self.fstype = fstype
      self.codename = codename
      self.deployArtifact = deployArtifact
      self.deployFlasherArtifact = deployFlasherArtifact
      self.deployRawArtifact = deployRawArtifact
      self.compressed = compressed
      self.archive = archive
    }
  }

  package init(
    slug: Slug, aliases: [String], name: String, arch: Architecture, state: State, yocto: Yocto, file: String
  ) {
    self.slug = slug
    self.aliases = aliases
    self.name = name
    self.arch = arch
    self.state = state
    self.yocto = yocto
    self.file = file
  }

  /// Whether the target image is an installer that carries the device's own image.
  package var isFlasher: Bool { yocto.image.contains { $0.text.hasSuffix("-flasher") } }
}
