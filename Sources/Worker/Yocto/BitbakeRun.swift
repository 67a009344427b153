import BuildModel

/// One call of a build wrapper.
package enum BitbakeRun: Hashable, Sendable {
  /// Build these targets; `arguments` are more words for the wrapper (of barys' kind, unless the driver is a command of its own).
  case targets([RecipeName], arguments: [String] = [])
  /// Build the packages of these recipes, and `os-release`.
  case packages([RecipeName])
  /// Print the build's variables instead of building.
  case variables
  /// Write the index of the package feed; only a run of its own does so reliably.
  case packageIndex

  /// What is built, each once: barys takes a target that is named again for one that was built, and then builds nothing at all.
  var targets: [String] {
    switch self {
    case .targets(let recipes, _): recipes.reduce(into: []) { if !$0.contains($1.text) { $0.append($1.text) } }
    case .packages(let recipes): BitbakeRun.targets(recipes).targets.filter { $0 != "os-release" } + ["os-release"]
    case .variables: ["os-release"]
    case .packageIndex: ["package-index"]
    }
  }

  /// More words for the wrapper. A composition's words may hold blanks and are split there, as the scripts do.
  var arguments: [String] {
    if case .targets(_, let arguments) = self { arguments.flatMap { $0.split(separator: " ").map(String.init) } } else { [] }
  }
}
