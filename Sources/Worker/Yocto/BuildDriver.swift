import BlobStore
import BuildModel
import Glibc
import Processes

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

/// How a device repository is built: the wrapper's calls, and what proves that a call did its work.
package protocol BuildDriver: Sendable {
  /// What the wrapper is called in messages, for example `balena-yocto-scripts/build/barys`.
  var wrapper: String { get }
  /// What proves a success besides fresh files.
  var proof: SuccessProof { get }
  /// PACKAGE_ARCHS, lowest preference first, where the build need not be asked.
  var packageArchitectures: [String]? { get }
  /// Whether git must work where the host's other directories cannot be seen.
  var runsInContainer: Bool { get }
  /// Directories and programs of the host, outside of the work tree, that the calls read; absolute.
  var hostPrograms: [String] { get }
  /// Why the wrapper cannot be run; nil when it can. Called after the checkout.
  func obstacle(in environment: [String: String]) -> Obstacle?
  /// Makes the directories that the calls name.
  func prepare() throws(YoctoError)
  /// The call, run from the repository's root; nil when this driver needs none.
  func command(_ run: BitbakeRun, environment: [String: String]) -> Command?
}

extension BuildDriver {
  package var hostPrograms: [String] { [] }
}

/// Why a wrapper cannot be run.
package struct Obstacle: Hashable, Sendable {
  /// Continues a sentence that begins with the repository's name.
  package var reason: String
  /// Whether the host lacks something (else the repository does).
  package var isOfHost: Bool
}

/// What a run must have said to have succeeded.
package enum SuccessProof: Hashable, Sendable {
  /// barys' line `Build for <machine> suceeded.`, since the status may lie.
  case barys
  /// Status 0, and a line that holds this text.
  case status(line: String?)
}

/// Where a build runs and what it shares with other builds of the host.
package struct BuildPlace: Sendable {
  package let machine: Machine
  package let slug: Slug
  /// File name of the device type's manifest without suffix: meta-balena reads `<repository>/<DEVICE_TYPE>.json`
  /// (image-balena.bbclass, balena-image.bb, balena-supervisor.bb), so this is what DEVICE_TYPE has to be.
  package let manifestFile: String
  /// The device repository's work tree.
  package let tree: String
  /// `cache/` of the worker's root.
  package let cache: String
  package let settings: TaskSpec.Settings

  package init(machine: Machine, slug: Slug, manifestFile: String, tree: String, cache: String, settings: TaskSpec.Settings = .init()) {
    self.settings = settings
    self.machine = machine
    self.slug = slug
    self.manifestFile = manifestFile
    self.tree = tree
    self.cache = cache
  }

  package var downloads: String { settings.sharedDirectory.map { $0 + "/shared-downloads" } ?? cache + "/downloads" }
  package var sharedState: String { settings.sharedDirectory.map { "\($0)/\(machine)/sstate" } ?? "\(cache)/sstate/\(machine)" }

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

  /// The text of a script of the tree; empty where it cannot be read.
  func script(_ path: String) -> String {
    var bytes: [UInt8] = []
    try? FileReader.read("\(tree)/\(path)") { if bytes.count < 1 << 20 { bytes.append(contentsOf: $0) } }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Makes the shared directories.
  func prepare(_ more: [String] = []) throws(YoctoError) {
    let shared = settings.sharedDirectory.map { [$0, "\($0)/\(machine)"] } ?? [cache, cache + "/sstate"]
    for path in shared + [downloads, sharedState] + more where mkdir(path, 0o755) != 0 && errno != EEXIST {
      throw .system(operation: "mkdir", path: path, errno: errno)
    }
  }

  /// Why a program of the tree cannot be run.
  func obstacle(_ wrapper: String, program: String) -> Obstacle? {
    if access(program, F_OK) != 0 { return Obstacle(reason: "has no \(wrapper)", isOfHost: false) }
    return access(program, X_OK) == 0 ? nil : Obstacle(reason: "has \(wrapper), which is not executable", isOfHost: false)
  }
}

extension TaskSpec.Driver {
  /// The driver, for one place.
  package func driver(at place: BuildPlace) -> any BuildDriver {
    switch self {
    case .barys: BarysCommand(place: place)
    case .balenaBuild(let settings): BalenaBuildCommand(place: place, settings: settings)
    case .command(let settings): OwnCommand(place: place, settings: settings)
    }
  }
}
