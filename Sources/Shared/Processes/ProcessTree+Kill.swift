import Glibc

extension ProcessTree {
  /// Ends a child of the caller at once, with its descendants and all of the session and process group that it leads, and waits up to ten seconds
  /// for them to be gone. The child itself stays for its end to be taken.
  ///
  /// All are stopped before any is killed, so that none can start another one meanwhile. A daemon (in a session of its own, and its parent has
  /// ended) is out of reach; ``members(of:)`` finds it by its mark.
  package static func killAll(of child: pid_t) {
    var found: Set<pid_t> = [child]
    kill(child, SIGSTOP)
    // A round for each generation that was born while the one before was looked at.
    for _ in 0..<100 {
      let new = below(child).subtracting(found)
      if new.isEmpty { break }
      for pid in new { kill(pid, SIGSTOP) }
      found.formUnion(new)
    }
    kill(-child, SIGKILL)
    for pid in found { kill(pid, SIGKILL) }
    let limit = MonotonicClock.now + 10
    while MonotonicClock.now < limit {
      if !ProcessTable.read().contains(where: { found.contains($0.id) && !$0.isZombie }) { return }
      poll(nil, 0, 5)
    }
  }

  /// Living processes that descend from a process or are in the session or process group of its number.
  private static func below(_ root: pid_t) -> Set<pid_t> {
    let processes = ProcessTable.read()
    var children: [pid_t: [pid_t]] = [:]
    for process in processes { children[process.parent, default: []].append(process.id) }
    var queue = processes.filter { $0.session == root || $0.group == root }.map(\.id) + [root]
    var found: Set<pid_t> = []
    while let next = queue.popLast() {
      if found.insert(next).inserted { queue += children[next] ?? [] }
    }
    return found.subtracting(processes.filter(\.isZombie).map(\.id))
  }
}
