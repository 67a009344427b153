extension TaskSpec {
  /// Which build wrapper the device repository has, and how it is called.
  package enum Driver: Codable, Hashable, Sendable {
    /// `balena-yocto-scripts/build/barys`, run directly as an ordinary user.
    case barys
    /// `balena-yocto-scripts/build/balena-build.sh`, which runs barys in a privileged container.
    case balenaBuild(settings: BalenaBuild)
    /// A program of the repository's or host's own.
    case command(settings: OwnCommand)

    /// What the configuration calls them.
    package static let names = ["barys", "balena-build", "command"]

    /// What a host must have to run it (see ``ProbeReport/features``).
    package var features: Set<HostFeature> {
      switch self {
      case .barys: []
      case .balenaBuild: [.docker]
      case .command(let settings): Set(settings.features)
      }
    }
  }

  /// Settings of the container script.
  package struct BalenaBuild: Codable, Hashable, Sendable {
    /// Its `-a`: the balena environment that the build is for.
    package var apiEnvironment: String
    /// Words for barys, before those that blockfarm adds. None holds a blank: the script splits them there.
    package var arguments: [String]
    /// Its `-k`. Without it the script removes the helper images at the end, also under builds that still use them.
    package var keepsHelperImages: Bool

    package init(apiEnvironment: String = "balena-cloud.com", arguments: [String] = [], keepsHelperImages: Bool = true) {
      self.apiEnvironment = apiEnvironment
      self.arguments = arguments
      self.keepsHelperImages = keepsHelperImages
    }
  }

  /// Settings of a build command of one's own.
  package struct OwnCommand: Codable, Hashable, Sendable {
    /// Builds the targets. Run in the work tree; a first word with a `/` is below it unless it is absolute, any other is looked up in PATH.
    package var build: CommandTemplate
    /// Where PACKAGE_ARCHS comes from.
    package var architectures: Architectures
    /// How the feed's index is written.
    package var index: Index
    /// A text that a line of the output must hold, with placeholders; nil: status 0 is enough.
    package var success: CommandTemplate.Word?
    /// Added to the build's environment; values with placeholders.
    package var environment: [String: CommandTemplate.Word]
    /// Host features beyond an ordinary user and git.
    package var features: [HostFeature]

    package enum Architectures: Codable, Hashable, Sendable {
      /// A command that prints what `bitbake -e` prints, or at least its line `PACKAGE_ARCHS="…"`.
      case printed(by: CommandTemplate)
      /// Lowest preference first.
      case fixed([String])
    }

    package enum Index: Codable, Hashable, Sendable {
      /// The build command with the target `package-index`.
      case target
      /// A command of its own.
      case command(CommandTemplate)
      /// The build command writes it itself.
      case withBuild
    }

    package init(
      build: CommandTemplate, architectures: Architectures, index: Index = .target, success: CommandTemplate.Word? = nil,
      environment: [String: CommandTemplate.Word] = [:], features: [HostFeature] = []
    ) {
      self.build = build
      self.architectures = architectures
      self.index = index
      self.success = success
      self.environment = environment
      self.features = features
    }

    /// Whether a text can be the name of an environment variable that a driver sets.
    package static func isVariable(_ name: String) -> Bool {
      guard let first = name.utf8.first, !(48...57).contains(first), !name.hasPrefix("BLOCKFARM_") else { return false }
      return name.utf8.allSatisfy { $0.isLetterOrDigit || $0 == UInt8(ascii: "_") }
    }
  }
}

extension TaskSpec {
  /// Whether anything is built with bitbake.
  package var needsBitbake: Bool {
    system != nil || feed.map { $0.provided == nil } == true
      || blocks.contains { if case .recipe = $0.origin { true } else { false } }
  }

  /// Whether the device repository must be checked out.
  package var needsSource: Bool {
    needsBitbake || blocks.contains { if case .dockerfile(_?, _) = $0.origin { true } else { false } }
  }

  /// Blobs that the worker must have before it starts.
  package var inputs: [BlobDescriptor] { feed?.provided?.files.map(\.blob) ?? [] }

  /// What a host must have for it (see ``ProbeReport/features``). That a Dockerfile runs programs of the device's architecture is known to the
  /// worker alone.
  package var features: Set<HostFeature> {
    var needed: Set<HostFeature> = needsBitbake ? driver.features.union([.buildUser]) : []
    if needsSource { needed.insert(.git) }
    if runsInSandbox { needed.insert(.bubblewrap) }
    if blocks.contains(where: { if case .dockerfile = $0.origin { true } else { false } }) { needed.insert(.dockerfile) }
    return needed
  }
}
