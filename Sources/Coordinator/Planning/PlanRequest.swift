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

  /// Slugs, machines, file names or aliases; empty with `all` or a filter.
  package var machines: [String]
  package var all: Bool
  package var architectures: [Architecture]
  package var repositories: [String]
  package var blocks: Blocks

  package init(machines: [String], all: Bool, architectures: [Architecture], repositories: [String], blocks: Blocks) {
    self.machines = machines
    self.all = all
    self.architectures = architectures
    self.repositories = repositories
    self.blocks = blocks
  }
}
