import BuildModel
import FoundationEssentials

/// Fully resolved work: one task a device type.
package struct Plan: Codable, Hashable, Sendable {
  /// Always 1.
  package var version = 1
  package var tasks: [PlannedTask]
  package var skipped: [SkippedDeviceType]
  /// Device types that were selected and cannot be planned.
  package var failed: [FailedDeviceType] = []
  /// What was selected and cannot be read, so that nobody knows which device types or blocks are missing: repositories, manifests, contracts.
  package var problems: [String] = []
  package var notices: [String]
  package var locations: [SourceLocation]
  /// Why each block that was asked for fits a device type or does not; in an explaining request without names, each that there is.
  package var explanations: [BlockExplanation]

  package init(
    tasks: [PlannedTask], skipped: [SkippedDeviceType], notices: [String], locations: [SourceLocation], explanations: [BlockExplanation] = []
  ) {
    self.tasks = tasks
    self.skipped = skipped
    self.notices = notices
    self.locations = locations
    self.explanations = explanations
  }
}

/// A device type that is selected but not built.
package struct SkippedDeviceType: Codable, Hashable, Sendable {
  package var slug: Slug
  package var machine: Machine
  package var arch: Architecture
  package var osVersion: OSVersion?
  package var reason: String
  package init(slug: Slug, machine: Machine, arch: Architecture, osVersion: OSVersion?, reason: String) {
    self.slug = slug
    self.machine = machine
    self.arch = arch
    self.osVersion = osVersion
    self.reason = reason
  }
}

/// A device type that is selected and cannot be built.
package struct FailedDeviceType: Codable, Hashable, Sendable {
  package var slug: Slug
  package var machine: Machine
  package var arch: Architecture
  /// nil where it cannot be read.
  package var osVersion: OSVersion?
  /// Names the repository or the file.
  package var reason: String
  package var blame: Blame
  package init(slug: Slug, machine: Machine, arch: Architecture, osVersion: OSVersion?, reason: String, blame: Blame) {
    self.slug = slug
    self.machine = machine
    self.arch = arch
    self.osVersion = osVersion
    self.reason = reason
    self.blame = blame
  }
}

extension Plan {
  /// Everything that could not be planned, each reason once, with the device types that it costs.
  package var complaints: [String] {
    var slugs: [String: [String]] = [:]
    var reasons: [String] = []
    for failure in failed {
      if slugs[failure.reason] == nil { reasons.append(failure.reason) }
      slugs[failure.reason, default: []].append(failure.slug.text)
    }
    return reasons.map { "\(slugs[$0, default: []].joined(separator: ", ")): \($0)" } + problems
  }
}

/// One device type's share: exact commits, recipes, packages, labels, platform.
package struct PlannedTask: Codable, Hashable, Sendable {
  package var deviceType: DeviceType
  package var source: SourceSpec
  package var driver: TaskSpec.Driver
  package var settings: TaskSpec.Settings
  package var osVersion: OSVersion
  /// False for a commit that is not the tag itself, or a dirty tree.
  package var isRelease: Bool
  package var sourceDateEpoch: Int64
  package var blocks: [BlockSpec]
  /// The bitbake targets of the feed, for all blocks, each once, in order of their first use. Image recipes of compositions are not among them.
  package var recipes: [RecipeName]
  /// nil when hostapp and image are not wanted.
  package var system: SystemSpec?
  /// The merged composition, placeholders still in it; nil where the repository has no composition file for the machine.
  package var composition: Composition?
  /// The repository's `balena.yml`; nil where there is none.
  package var releaseContract: CompositionValue?
  /// meta-balena's version that ``osVersion`` is based on, for extended support alone.
  package var baseVersion: String?
  package var notices: [String]
  /// The feed that the blocks are made from; nil: it is built from ``recipes``.
  package var feed: ProvidedFeed?

  package init(
    deviceType: DeviceType, source: SourceSpec, driver: TaskSpec.Driver, osVersion: OSVersion, isRelease: Bool, sourceDateEpoch: Int64,
    blocks: [BlockSpec], recipes: [RecipeName], system: SystemSpec?, composition: Composition? = nil,
    releaseContract: CompositionValue? = nil, baseVersion: String? = nil, notices: [String],
    settings: TaskSpec.Settings = .init()
  ) {
    self.settings = settings
    self.deviceType = deviceType
    self.source = source
    self.driver = driver
    self.osVersion = osVersion
    self.isRelease = isRelease
    self.sourceDateEpoch = sourceDateEpoch
    self.blocks = blocks
    self.recipes = recipes
    self.system = system
    self.composition = composition
    self.releaseContract = releaseContract
    self.baseVersion = baseVersion
    self.notices = notices
  }

  package var slug: Slug { deviceType.slug }
}
