import BuildModel
import Processes

/// One call of `balena-yocto-scripts/build/barys` in a device repository.
package struct BarysCommand: Sendable {
  package enum Run: Hashable, Sendable {
    /// Build these targets.
    case targets([RecipeName])
    /// Build the packages of these recipes, and `os-release`.
    case packages([RecipeName])
    /// Print the build's variables instead of building.
    case variables
    /// Write the index of the package feed; only a run of its own does so reliably.
    case packageIndex
  }

  /// The wrapper's place in a device repository.
  package static let path = "balena-yocto-scripts/build/barys"

  package let machine: Machine
  package let slug: Slug
  /// The device repository's work tree.
  package let tree: String
  /// `cache/` of the worker's root.
  package let cache: String

  package init(machine: Machine, slug: Slug, tree: String, cache: String) {
    self.machine = machine
    self.slug = slug
    self.tree = tree
    self.cache = cache
  }

  package var downloads: String { cache + "/downloads" }
  package var sharedState: String { "\(cache)/sstate/\(machine)" }

  /// The arguments. `--bitbake-target` and `--bitbake-args` take all values up to the next option, and barys reads a single last value
  /// twice, so another option always follows them.
  package func arguments(_ run: Run) -> [String] {
    let targets: [String]
    var extra: [String] = []
    switch run {
    case .targets(let recipes): targets = recipes.map(\.text)
    case .packages(let recipes): targets = recipes.map(\.text).filter { $0 != "os-release" } + ["os-release"]
    case .variables:
      targets = ["os-release"]
      extra = ["--bitbake-args", "-e"]
    case .packageIndex: targets = ["package-index"]
    }
    return ["--log", "--machine", machine.text, "--bitbake-target"] + targets + extra + [
      "--additional-variable", "DEVICE_TYPE=\(slug)", "--shared-downloads", downloads, "--shared-sstate", sharedState, "--rm-work",
    ]
  }

  /// The whole command, run from the repository's root.
  package func command(_ run: Run, environment: [String: String]) -> Command {
    Command("\(tree)/\(Self.path)", arguments(run), environment: environment, directory: tree)
  }
}
