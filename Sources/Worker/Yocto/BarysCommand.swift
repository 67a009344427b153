import BuildModel
import Processes

/// `balena-yocto-scripts/build/barys`, run directly as an ordinary user.
package struct BarysCommand: BuildDriver {
  package static let path = "balena-yocto-scripts/build/barys"

  package let place: BuildPlace

  package init(place: BuildPlace) { self.place = place }

  package var wrapper: String { Self.path }
  package var proof: SuccessProof { .barys }
  package var packageArchitectures: [String]? { nil }
  package var runsInContainer: Bool { false }

  /// barys' words fall apart at blanks, and OE's sanity check refuses the others in the path of its layers (sanity.bbclass).
  package func obstacle(in environment: [String: String]) -> Obstacle? {
    if let character = place.tree.first(where: { $0.isWhitespace || $0 == "+" || $0 == "@" }) {
      let name = character.isWhitespace ? "a blank" : "'\(character)'"
      return Obstacle(
        reason: "cannot be built at \(place.tree): bitbake refuses a path with \(name). Give the worker another root "
          + "('root' in the host's file; for builds in place 'state' in farm.yaml)",
        isOfHost: true)
    }
    return place.obstacle(Self.path, program: "\(place.tree)/\(Self.path)")
  }

  package func prepare() throws(YoctoError) {
    try place.prepare()
    try PostReadFile.write(in: place.tree)
  }

  /// The arguments. `--bitbake-target` and `--bitbake-args` take all values up to the next option, and barys reads a single last value
  /// twice, so another option always follows them, also where the run's own words end with such a value.
  package func arguments(_ run: BitbakeRun) -> [String] {
    var arguments = ["--log", "--machine", place.machine.text, "--bitbake-target"] + run.targets
    let words = (run == .variables ? ["-e"] : []) + PostReadFile.words(for: run, tree: place.tree)
    // One value, which barys splits.
    if !words.isEmpty { arguments += ["--bitbake-args", words.joined(separator: " ")] }
    return arguments + ["--additional-variable", "DEVICE_TYPE=\(place.manifestFile)"] + place.settingWords + run.arguments + [
      "--shared-downloads", place.downloads, "--shared-sstate", place.sharedState, "--rm-work",
    ]
  }

  package func command(_ run: BitbakeRun, environment: [String: String]) -> Command? {
    Command("\(place.tree)/\(Self.path)", arguments(run), environment: environment, directory: place.tree)
  }
}

extension BuildPlace {
  /// The request's choices as words for barys.
  var settingWords: [String] {
    var words = settings.isDevelopment ? ["-d"] : []
    if let version = settings.supervisorVersion { words += [supervisorOption, version.text] }
    return words + settings.variables.flatMap { ["--additional-variable", $0.description] }
  }

  /// Older wrappers know the option by its former name only.
  private var supervisorOption: String {
    let (current, former) = ("--supervisor-version", "--supervisor-tag")
    let text = script(BarysCommand.path)
    return text.contains(former) && !text.contains(current) ? former : current
  }
}
