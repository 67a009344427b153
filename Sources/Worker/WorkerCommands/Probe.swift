import ArgumentParser
import Attempt
import BlobStore
import BuildModel
import Containers
import FoundationEssentials
import Glibc
import Processes
import Sandbox
import Source
import Yocto

import struct Crypto.SHA256

/// Tells what this host is and has.
struct Probe: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Print what this host is and has, as one JSON line.")
  @OptionGroup var location: RootOption

  func run() throws {
    try StandardOutput.begin()
    let root = try location.resolve()
    var system = utsname()
    uname(&system)
    let kernelMachine = withUnsafePointer(to: &system.machine) {
      $0.withMemoryRebound(to: CChar.self, capacity: 65) { String(cString: $0) }
    }
    var disk = statvfs()
    guard statvfs(root, &disk) == 0 else { throw WorkerExit(status: 1, message: "statvfs \(root): \(String(cString: strerror(errno)))") }
    var load = 0.0
    getloadavg(&load, 1)
    let environment = BuildEnvironment.make(inherited: ProcessInfo.processInfo.environment, mark: [:], secrets: [:])
    let obstacle = Self.sandboxObstacle(root: root, environment)
    try StandardOutput.line(
      ProbeReport(
        binary: try Self.ownDigest(), kernelMachine: kernelMachine, cores: sysconf(Int32(_SC_NPROCESSORS_ONLN)),
        memoryBytes: Int64(sysconf(Int32(_SC_PHYS_PAGES))) * Int64(sysconf(Int32(_SC_PAGESIZE))),
        freeDiskBytes: Int64(disk.f_bavail) * Int64(disk.f_frsize), clock: .now, loadAverage: load,
        features: Self.features(environment, hasSandbox: obstacle == nil),
        cachedMachines: Self.names(in: root + "/cache/sstate"), mirrors: SourceMirror.all(root: root), attempts: List.states(root: root),
        sandboxObstacle: obstacle?.description, reachesDocker: Docker.isReachable(in: environment)))
  }

  private static func ownDigest() throws -> Digest {
    var hash = SHA256()
    try FileReader.read("/proc/self/exe") { hash.update(bufferPointer: $0) }
    guard let digest = Digest(bytes: hash.finalize()) else { throw WorkerExit(status: 1, message: "the program cannot be hashed") }
    return digest
  }

  /// What builds may need of a host.
  static func features(_ environment: [String: String], hasSandbox: Bool) -> [HostFeature] {
    let path = environment["PATH"] ?? ""
    var found: [HostFeature] = [.ipk]
    if Docker(environment: environment) != nil { found.append(.docker) }
    if ImageBuilder.available(in: environment) != nil { found.append(.dockerfile) }
    found += HostPrograms.current.architectures.map { .runs("\($0)") }
    if access("/dev/kvm", R_OK | W_OK) == 0 { found.append(.kvm) }
    if access("/dev/fuse", R_OK | W_OK) == 0 { found.append(.fuse) }
    if Command.find("git", in: path) != nil { found.append(.git) }
    // bitbake refuses to run as root.
    if getuid() != 0 { found.append(.buildUser) }
    if hasSandbox { found.append(.bubblewrap) }
    return found.sorted()
  }

  /// Starts a sandbox for real, as builds do.
  private static func sandboxObstacle(root: String, _ environment: [String: String]) -> SandboxObstacle? {
    do {
      let places = HostPlaces(hiding: [root] + (environment["HOME"].map { [$0] } ?? []), searchPath: [])
      let tools = try SandboxObstacle.tools(path: environment["PATH"] ?? "")
      try SandboxObstacle.tryOut(
        Sandbox(
          hidden: places.hidden, readable: places.readable, writable: [], temporary: "/tmp", linksRun: places.linksRun,
          processLimit: Sandbox.processLimitOfAccount, tools: tools))
      return nil
    } catch {
      return error
    }
  }

  static func names(in directory: String) -> [String] {
    (FileReader.names(in: directory) ?? []).filter { !$0.hasPrefix(".") }
  }
}

/// Lists the attempts on this host.
struct List: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Print all attempts with their states, as one JSON line.")
  @OptionGroup var location: RootOption

  func run() throws {
    try StandardOutput.begin()
    try StandardOutput.line(Self.states(root: try location.resolve()))
  }

  /// The state of every attempt; those whose runner is gone are given their outcome on the way. One that cannot be read counts as lost, and keeps
  /// nobody from hearing of the others.
  static func states(root: String) -> [ProbeReport.AttemptState] {
    AttemptDirectory.all(root: root).compactMap { directory in
      switch try? directory.settle() {
      case .unknown: nil
      case .running: .init(attempt: directory.id, state: .running)
      case .ended(let outcome): .init(attempt: directory.id, state: outcome.failure?.kind == .lost ? .lost : .ended)
      case nil: .init(attempt: directory.id, state: .lost)
      }
    }
  }
}
