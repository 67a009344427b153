import BuildModel
import Glibc
import Processes

/// `balena-yocto-scripts/build/balena-build.sh`, which runs barys in a privileged container of dockerd.
///
/// Its status proves nothing: a wrong option ends 0 with the usage, and the container ends 0 whatever barys said. It mounts the work tree at `/work`,
/// `<shared>/shared-downloads` and `<shared>/<MACHINE>/sstate`.
package struct BalenaBuildCommand: BuildDriver {
  package static let path = "balena-yocto-scripts/build/balena-build.sh"

  package let place: BuildPlace
  package let settings: TaskSpec.BalenaBuild

  package init(place: BuildPlace, settings: TaskSpec.BalenaBuild) {
    self.place = place
    self.settings = settings
  }

  package var wrapper: String { Self.path }
  package var proof: SuccessProof { .barys }
  package var packageArchitectures: [String]? { nil }
  package var runsInContainer: Bool { true }

  /// The script's shared directory, whose parts are links to the caches that other drivers use.
  package var shared: String { place.settings.sharedDirectory ?? place.cache + "/balena-build" }

  package func obstacle(in environment: [String: String]) -> Obstacle? {
    if let obstacle = place.obstacle(Self.path, program: "\(place.tree)/\(Self.path)") { return obstacle }
    if Command.find("docker", in: environment["PATH"] ?? "") != nil { return nil }
    return Obstacle(
      reason: "is built with \(Self.path), which needs docker: install the package docker.io and put the account into the group docker",
      isOfHost: true)
  }

  package func prepare() throws(YoctoError) {
    // A shared directory of the request's own has the script's layout already.
    try PostReadFile.write(in: place.tree)
    if place.settings.sharedDirectory != nil { return try place.prepare() }
    try place.prepare([shared, "\(shared)/\(place.machine)"])
    for (link, target) in [("shared-downloads", "../downloads"), ("\(place.machine)/sstate", "../../sstate/\(place.machine)")] {
      let path = "\(shared)/\(link)"
      if symlink(target, path) != 0, errno != EEXIST { throw .system(operation: "link", path: path, errno: errno) }
    }
  }

  /// The arguments, all as one value an option: the script splits them at blanks.
  package func arguments(_ run: BitbakeRun) -> [String] {
    let barys = settings.arguments + ["-a", "DEVICE_TYPE=\(place.manifestFile)"] + place.settingWords + run.arguments
    var arguments = [
      "-d", place.machine.text, "-s", shared, "-a", settings.apiEnvironment, "-i", run.targets.joined(separator: " "), "-g",
      barys.joined(separator: " "),
    ]
    let words = (run == .variables ? ["-e"] : []) + (mountsTree ? PostReadFile.words(for: run, tree: Self.mountPoint) : [])
    if !words.isEmpty { arguments += ["-b", words.joined(separator: " ")] }
    return settings.keepsHelperImages ? arguments + ["-k"] : arguments
  }

  /// Where the script's container sees the tree. Older scripts had other places: a file there could not be named.
  private static let mountPoint = "/work"
  private var mountsTree: Bool { place.script(Self.path).contains(":\(Self.mountPoint)") }

  package func command(_ run: BitbakeRun, environment: [String: String]) -> Command? {
    Command("\(place.tree)/\(Self.path)", arguments(run), environment: environment, directory: place.tree)
  }
}
