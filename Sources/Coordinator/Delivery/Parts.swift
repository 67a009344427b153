import BuildModel

/// What an attempt made of hostapp and image, kept for later requests.
package struct SystemPart: Codable, Sendable {
  package var artifacts: [Artifact]
  package var host: HostName
  /// See ``Outcome/isolation``; nil in what earlier versions wrote.
  package var isolation: Isolation?

  /// The disk images as the build made them.
  var diskImages: [Artifact] { artifacts.filter { $0.role == .diskImage } }
}

/// Feed and blocks of a device type, as an attempt made them.
package struct BlocksPart: Codable, Sendable {
  package var blocks: [BlockResult]
  /// The feed's files (`ipk/…`).
  package var artifacts: [Artifact]
  package var packageArchitectures: [String]
  package var host: HostName
  package var isolation: Isolation?
}

/// Both parts of a device type, as far as they are at hand.
package struct DeviceTypeParts: Sendable {
  package var system: SystemPart?
  package var blocks: BlocksPart?
  package init() {}
}
