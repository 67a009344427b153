import BlobStore
import BuildModel
import Glibc

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
