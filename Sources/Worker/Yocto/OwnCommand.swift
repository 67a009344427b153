import BuildModel
import Glibc
import Processes

/// A build command of the repository's or the host's own, in words with placeholders.
package struct OwnCommand: BuildDriver {
  package let place: BuildPlace
  package let settings: TaskSpec.OwnCommand

  package init(place: BuildPlace, settings: TaskSpec.OwnCommand) {
    self.place = place
    self.settings = settings
  }

  package var wrapper: String { settings.build.program }
  package var proof: SuccessProof { .status(line: settings.success?.joined(values(for: .packageIndex))) }
  package var packageArchitectures: [String]? { if case .fixed(let names) = settings.architectures { names } else { nil } }
  package var runsInContainer: Bool { settings.features.contains(.docker) }

  private var templates: [CommandTemplate] {
    var templates = [settings.build]
    if case .printed(let template) = settings.architectures { templates.append(template) }
    if case .command(let template) = settings.index { templates.append(template) }
    return templates
  }

  package var hostPrograms: [String] { templates.map(\.program).filter { $0.hasPrefix("/") } }

  /// A first word with a `/` is below the tree unless it is absolute.
  private func program(_ template: CommandTemplate) -> String {
    let program = template.program
    return program.hasPrefix("/") || !program.contains("/") ? program : "\(place.tree)/\(program)"
  }

  package func obstacle(in environment: [String: String]) -> Obstacle? {
    for template in templates {
      let program = program(template)
      if program.contains("/") {
        if var obstacle = place.obstacle(template.program, program: program) {
          obstacle.isOfHost = program == template.program
          return obstacle
        }
      } else if Command.find(program, in: settings.environment["PATH"]?.joined(values(for: .packageIndex)) ?? environment["PATH"] ?? "") == nil {
        return Obstacle(reason: "is built with '\(program)', which is not in this host's PATH", isOfHost: true)
      }
    }
    return nil
  }

  package func prepare() throws(YoctoError) { try place.prepare() }

  private func values(for run: BitbakeRun) -> CommandTemplate.Values {
    CommandTemplate.Values(
      machine: place.machine, slug: place.slug, manifest: place.manifestFile, targets: run.targets, arguments: place.settingWords + run.arguments,
      downloads: place.downloads, sharedState: place.sharedState, tree: place.tree)
  }

  package func command(_ run: BitbakeRun, environment: [String: String]) -> Command? {
    let template: CommandTemplate
    switch (run, settings.architectures, settings.index) {
    case (.variables, .printed(let own), _), (.packageIndex, _, .command(let own)): template = own
    case (.variables, .fixed, _), (.packageIndex, _, .withBuild): return nil
    default: template = settings.build
    }
    let values = values(for: run)
    let own = settings.environment.mapValues { $0.joined(values) }
    return Command(
      program(template), template.arguments(values), environment: environment.merging(own) { _, own in own }, directory: place.tree)
  }
}
