import BuildModel

/// Whether a worker takes a TaskSpec at all; pure.
enum SpecCheck {
  /// Secrets travel through a pipe that nobody reads yet.
  static let secretsLimit = 32 << 10

  /// The reason for which the spec is refused; nil when it is not.
  static func refusal(of spec: TaskSpec, secrets: [String: String], uid: UInt32) -> String? {
    if uid == 0, spec.needsBitbake { return "the worker runs as root, which bitbake refuses: use an ordinary account on this host" }
    if !(1...2).contains(spec.version) { return "TaskSpec version \(spec.version) is not known to this worker (1, 2)" }
    if spec.attempt.slug != spec.slug { return "attempt \(spec.attempt) is not one of device type \(spec.slug)" }
    if spec.feed == nil && spec.system == nil && spec.blocks.isEmpty { return "the spec asks for nothing" }
    if let reason = refusal(of: spec.settings, with: spec.driver) { return reason }
    if let path = spec.confinement?.hidden.first(where: { !TaskSpec.Confinement.isPlace($0) }) {
      return "'\(path.prefix(200))' is no absolute path that can be hidden"
    }
    for block in spec.blocks { if let reason = refusal(of: block, in: spec) { return reason } }
    if let feed = spec.feed?.provided, let reason = refusal(of: feed) { return reason }
    if let block = repeated(spec.blocks.map(\.name.text)) { return "block \(block) is asked for twice" }
    if let path = repeated(spec.source.submodules.map(\.path.text)) { return "submodule \(path) is named twice" }
    if spec.limits.totalSeconds <= 0 || spec.limits.silentSeconds <= 0 || spec.limits.logBytes < 4096 { return "the spec's limits are not usable" }
    if RelativePath("\(spec.manifestFile).json") == nil || spec.manifestFile.contains("/") {
      return "'\(spec.manifestFile.prefix(100))' is no manifest's file name"
    }
    if let system = spec.system {
      if system.image.isEmpty { return "the spec asks for an image without bitbake targets" }
      for case let name? in [system.deployArtifact, system.deployFlasherArtifact, system.deployRawArtifact] where RelativePath(name) == nil {
        return "deploy artifact '\(name.prefix(200))' is not a path below the images' directory"
      }
    }
    for (name, value) in secrets {
      let isName = !name.isEmpty && name.utf8.allSatisfy { (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) || $0 == 95 }
      if !isName || value.utf8.contains(0) { return "a secret's name is not one of an environment variable" }
    }
    if secrets.reduce(0, { $0 + $1.key.utf8.count + 6 * $1.value.utf8.count + 8 }) > secretsLimit { return "the secrets are too large" }
    return nil
  }

  private static func refusal(of block: BlockSpec, in spec: TaskSpec) -> String? {
    switch block.origin {
    case .packages:
      return spec.feed == nil ? "the spec asks for block \(block.name), which is made of packages, without a feed" : nil
    case .dockerfile(nil, let baseImage):
      if spec.feed == nil { return "the spec asks for block \(block.name), which is made of packages, without a feed" }
      return baseImage == nil ? "block \(block.name): the pre-defined Dockerfile needs a base image with opkg" : nil
    case .dockerfile(_?, _): return nil
    case .recipe(let recipe, let arguments, _):
      guard case .command(let settings) = spec.driver, !arguments.isEmpty, !settings.build.uses(.arguments) else { return nil }
      return "block \(block.name): recipe \(recipe) comes with arguments for the build, but the driver's command has no {arguments}"
    case .registry(let reference): return "block \(block.name) is image \(reference) of a registry, which workers do not fetch"
    }
  }

  private static func refusal(of settings: TaskSpec.Settings, with driver: TaskSpec.Driver) -> String? {
    if let directory = settings.sharedDirectory, !TaskSpec.Settings.isDirectory(directory) {
      return "shared directory '\(directory.prefix(200))' is not an absolute path without blanks"
    }
    guard settings.inputs != TaskSpec.Settings(), case .command(let own) = driver, !own.build.uses(.arguments) else { return nil }
    return "a development image, another supervisor or additional variables are asked for, but the driver's command has no {arguments}"
  }

  private static func refusal(of feed: ProvidedFeed) -> String? {
    if let path = repeated(feed.files.map(\.path.text)) { return "the provided feed names '\(path)' twice" }
    if let name = feed.architectures.first(where: { RelativePath($0) == nil || $0.contains("/") }) {
      return "the provided feed's architecture '\(name.prefix(100))' is no directory's name"
    }
    return feed.files.isEmpty ? "the provided feed is empty" : nil
  }

  private static func repeated(_ names: [String]) -> String? {
    var seen: Set<String> = []
    return names.first { !seen.insert($0).inserted }
  }
}
