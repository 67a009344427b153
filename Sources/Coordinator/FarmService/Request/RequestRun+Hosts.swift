import BuildModel
import CoordinatorConfiguration

/// What is asked of hosts beside the run.
extension RequestRun {
  /// Beside everything else: a host that is down keeps nobody from using those that answer.
  func askHosts(_ names: [HostName], in group: inout ThrowingTaskGroup<Finished, any Error>) {
    guard !names.isEmpty else { return }
    let pool = pool
    group.addTask { .probed(await pool.ask(names)) }
  }

  /// Beside everything else, too, and for no longer than a device type waits for a host.
  func makeRoom(_ needs: [HostPool.RoomNeed], in group: inout ThrowingTaskGroup<Finished, any Error>) {
    let (pool, limit) = (pool, min(HostPool.roomLimit, context.configuration.queueWait))
    for need in needs {
      group.addTask {
        await pool.makeRoom(need, limit: limit)
        return .probed([])
      }
    }
  }
}
