import BuildModel

/// The device types of one repository, as its manifests alone say it: neither git nor anything else was looked at.
package struct RepositoryListing: Sendable {
  package var name: String
  package var deviceTypes: [DeviceType] = []
  /// Manifests that cannot be read, so that nobody knows their device types.
  package var brokenManifests: [BrokenManifest] = []
  /// What is worth knowing and is no failure.
  package var notices: [String] = []
  /// Whether it wins where another repository defines the same device type.
  package var isPreferred = false

  package init(name: String) { self.name = name }
}

/// A manifest that cannot be read.
package struct BrokenManifest: Hashable, Sendable {
  /// The file's name without its suffix: often the device type's own.
  package var file: String
  package var error: PlanningError
}
