import BoundedConcurrency
import BuildModel
import Executors
import Scheduling

/// Hosts with too little free disk remove what nobody needs, beside everything else: one that hangs at it holds nobody up.
extension HostPool {
  /// A host that is to make room.
  struct RoomNeed: Sendable {
    var name: HostName
    var client: WorkerClient
    var room: ByteCount
  }

  /// Seconds that making room may take. What is removed until then counts all the same.
  static let roomLimit = 600.0

  /// The hosts that have too little disk for a waiting task of their architecture: each once in a run, and not while attempts of ours run there. They
  /// count as making room until ``makeRoom(_:limit:)`` is done with them.
  func shortOfRoom(for needs: [TaskNeed]) -> [RoomNeed] {
    var short: [RoomNeed] = []
    for (name, host) in hosts where !host.hasMadeRoom && host.leftOut == nil && host.reserved.isEmpty {
      guard let free = host.probe?.freeDiskBytes else { continue }
      let architectures = host.configuration?.architectures ?? Architecture.allCases
      guard let room = needs.filter({ architectures.contains($0.arch) && $0.diskBytes > free }).map(\.diskBytes).max() else { continue }
      short.append(RoomNeed(name: name, client: host.client, room: ByteCount(bytes: room)))
      hosts[name]?.hasMadeRoom = true
      hosts[name]?.isMakingRoom = true
    }
    return short
  }

  /// Lets a host make room; it is asked again how it is, whether it did or not.
  func makeRoom(_ need: RoomNeed, limit: Double) async {
    let client = need.client
    let isDone = await withTaskGroup(of: Bool.self) { group in
      group.addTask { (try? await client.collectGarbage(room: need.room)) != nil }
      group.addTask {
        try? await Task.sleep(for: .seconds(limit))
        return false
      }
      defer { group.cancelAll() }
      return await group.next() ?? false
    }
    if isDone {
      let answer = await Self.probe(client, recorded: hosts[need.name]?.configuration?.recordedWorker)
      await take(answer, of: need.name)
    }
    hosts[need.name]?.isMakingRoom = false
  }
}
