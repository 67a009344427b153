import BuildModel
import Containers
import Glibc
import Processes
import Sandbox
import Source
import Yocto

extension AttemptRunner {
  /// Whether the build needs docker: its image is made there (docker-disk, image_docker), or its driver says so.
  private var reachesDocker: Bool {
    (spec.system != nil || spec.driver.features.contains(.docker)) && Docker.isReachable(in: environment)
  }

  /// What bitbake runs under.
  var buildIsolation: Isolation {
    if case .balenaBuild = spec.driver { return .docker }
    if !spec.runsInSandbox { return .unconfined }
    return reachesDocker ? .docker : .bubblewrap
  }

  /// The environment of bitbake's calls.
  var buildEnvironment: [String: String] {
    spec.runsInSandbox ? Sandbox.environment(from: environment, keepsDocker: reachesDocker) : environment
  }

  /// Starts a sandbox that does nothing, so that a host that has none is named before anything is built.
  func tryOutSandbox() throws {
    do {
      try SandboxObstacle.tryOut(try sandbox())
    } catch let obstacle as SandboxObstacle {
      throw Failure(
        kind: .infrastructure, step: .source,
        reason: "this host runs no build without a sandbox: \(obstacle). 'isolation: none' in the host's file, or '--isolation none' with '--local', "
          + "builds without one")
    }
  }

  /// A call of the wrapper as it is started on this host.
  func confined(_ command: Command) throws -> Command {
    guard spec.runsInSandbox else { return command }
    let sandbox = try sandbox()
    try sandbox.prepare()
    return sandbox.command(command)
  }

  /// Seen are: the work tree, the caches, the repository's own mirrors, and what the driver reads of the host.
  private func sandbox() throws -> Sandbox {
    let path = environment["PATH"] ?? ""
    let own = [root] + (environment["HOME"].map { [$0] } ?? []) + (spec.confinement?.hidden ?? [])
    let places = HostPlaces(hiding: own, searchPath: path.split(separator: ":").map(String.init))
    let mirrors = spec.source.trees.map { SourceMirror(root: root, name: $0.mirror).path }
    var writable: [String] = []
    if let slot {
      let place = buildPlace(tree: slot.tree)
      writable = [place.tree, place.downloads, place.sharedState]
    }
    let socket = reachesDocker ? Docker.socket(in: environment).map { [$0] } ?? [] : []
    return Sandbox(
      hidden: places.hidden, readable: places.readable + (mirrors + socket + driver.hostPrograms).compactMap(HostPlaces.resolved),
      writable: writable.compactMap(HostPlaces.resolved),
      devices: [HostFeature.kvm, .fuse].filter(spec.driver.features.contains).map { "/dev/" + $0.text },
      temporary: temporaryPath, linksRun: places.linksRun, processLimit: Sandbox.processLimitOfAccount,
      tools: try SandboxObstacle.tools(path: path))
  }
}
