import BlobStore
import BuildModel
import CoordinatorConfiguration
import Delivery
import EventLoop
import Executors
import FoundationEssentials
import Glibc
import Planning
import Store

/// What every operation of the farm shares: configuration, state, blobs, and the thread that serves connections.
package struct FarmContext: Sendable {
  package let configuration: FarmConfiguration
  package let store: StateStore
  package let blobs: BlobStore
  package let interruption = CancelFlag()
  /// Carries the sessions to all hosts and the child processes on this one.
  let loop: DescriptorLoop

  /// Looks at the state directory. Nothing is made: who only asks, or is refused, leaves nothing behind that is his.
  package init(configuration: FarmConfiguration) throws {
    self.configuration = configuration
    if let obstacle = StateDirectory(configuration.state).obstacle { throw FarmError.farm(obstacle) }
    store = try StateStore(directory: configuration.state)
    blobs = BlobStore(unmade: configuration.state + "/blobs")
    loop = try DescriptorLoop(name: "blockfarm-hosts")
  }

  /// Makes what is missing in the state directory.
  func make() throws {
    try store.make()
    try blobs.make()
    if mkdir(scratch, 0o755) != 0, errno != EEXIST { throw StoreError.open(path: scratch, reason: String(cString: strerror(errno))) }
  }

  /// Who asked for what. Nothing that changes the farm is done before it is noted there.
  package var audit: AuditLog { AuditLog(directory: configuration.state, store: store, environment: CallerEnvironment.variables) }

  /// What deliveries of this farm work with.
  package var delivery: DeliveryContext { DeliveryContext(store: store, blobs: blobs, scratch: scratch) }

  var scratch: String { configuration.state + "/scratch" }

  /// The worker program of this machine: named by BLOCKFARM_WORKER, else beside the running program.
  package static func localWorker(environment: [String: String] = CallerEnvironment.variables) throws -> String {
    if let path = environment["BLOCKFARM_WORKER"] {
      guard access(path, X_OK) == 0 else { throw FarmError.usage("BLOCKFARM_WORKER names \(path), which is no executable file") }
      return path
    }
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = readlink("/proc/self/exe", &buffer, buffer.count)
    let program = String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
    let directory = program.lastIndex(of: "/").map { String(program[..<$0]) } ?? "."
    let candidates = [directory + "/blockfarm-worker", directory + "/../libexec/blockfarm/blockfarm-worker"]
    guard let found = candidates.first(where: { access($0, X_OK) == 0 }) else {
      throw FarmError.usage("no worker program: looked for \(candidates.joined(separator: " and ")); name one with BLOCKFARM_WORKER")
    }
    return found
  }
}
