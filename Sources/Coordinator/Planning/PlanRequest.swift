import BuildModel

/// What a person or a job asks for, as texts that are not yet checked against anything.
package struct PlanRequest: Sendable, Hashable {
  package enum Blocks: Sendable, Hashable {
    /// The core hostapp only.
    case none
    /// Every block that fits.
    case all
    case named([String])

    /// Reads `--blocks`: names separated by `:`, commas or blanks, or `all`.
    package init(_ text: String?) {
      let names = (text ?? "").split { $0 == ":" || $0 == "," || $0 == " " }.map(String.init)
      self = names.isEmpty ? .none : names == ["all"] ? .all : .named(names)
    }
  }

  /// How blocks are made that contracts list packages for.
  package enum Builder: Sendable, Hashable {
    /// The packages are unpacked into an empty tree.
    case packages
    /// The pre-defined Dockerfile installs them with opkg; `baseImage` is the image with opkg that it starts from.
    case dockerfile(baseImage: String)
  }

  /// Which half of the work is wanted.
  package enum Only: String, Sendable, Hashable, CaseIterable {
    case everything
    /// Feeds and blocks, without hostapp and target image.
    case blocks
    /// Hostapp and target image, without feeds and blocks.
    case image
  }

  /// Slugs, machines, file names or aliases; empty with `all` or a filter.
  package var machines: [String]
  package var all: Bool
  /// Device types that are left out, by any of their names.
  package var skipped: [String] = []
  package var architectures: [Architecture]
  package var repositories: [String]
  package var blocks: Blocks
  package var builder: Builder
  package var layering: Layering
  package var only: Only
  /// Whether packages of blocks may hold device nodes.
  package var allowsDevices: Bool
  /// Whether only the plan's explanations are wanted: a block that fits nowhere is then no error, but explained.
  package var isExplaining: Bool
  package var settings: TaskSpec.Settings
  /// Whether a feed is provided, so that recipes need not be known.
  package var isFeedProvided = false
  /// Whether a cloud will be asked for released blocks, so that a block may be one that no contract or composition knows.
  package var isCloudAsked = false

  package init(
    machines: [String], all: Bool, architectures: [Architecture], repositories: [String], blocks: Blocks, builder: Builder = .packages,
    layering: Layering = .single, only: Only = .everything, allowsDevices: Bool = false, isExplaining: Bool = false,
    settings: TaskSpec.Settings = .init()
  ) {
    self.settings = settings
    self.machines = machines
    self.all = all
    self.architectures = architectures
    self.repositories = repositories
    self.blocks = blocks
    self.builder = builder
    self.layering = layering
    self.only = only
    self.allowsDevices = allowsDevices
    self.isExplaining = isExplaining
  }
}
