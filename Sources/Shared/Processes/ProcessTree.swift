import CLinux
import Glibc

/// The processes that belong to an attempt, found in /proc: descendants of its runner (orphans come back to it, see ``adoptOrphans()``),
/// whatever carries the attempt's mark in its environment, and whatever works below the attempt's directories.
///
/// The last two find what outlived a runner that was killed; bitbake's server is such a process.
package struct ProcessTree: Sendable {
  /// An environment entry, for example `BLOCKFARM_ATTEMPT=…`.
  package let mark: String
  package let directories: [String]

  package init(mark: String, directories: [String]) {
    self.mark = mark
    self.directories = directories
  }

  /// Makes the caller the new parent of every orphan among its descendants.
  package static func adoptOrphans() throws(ProcessError) {
    guard blockfarm_become_subreaper() == 0 else { throw .system(operation: "prctl", subject: "PR_SET_CHILD_SUBREAPER", errno: errno) }
  }

  /// Ids of the members, without the caller and without zombies. `runner` is the process whose descendants count; it is not a member itself.
  package func members(of runner: pid_t?) -> [pid_t] {
    let processes = ProcessTable.read()
    var found: Set<pid_t> = []
    if let runner {
      var children: [pid_t: [pid_t]] = [:]
      for process in processes { children[process.parent, default: []].append(process.id) }
      var queue = children[runner] ?? []
      while let next = queue.popLast() {
        if found.insert(next).inserted { queue += children[next] ?? [] }
      }
    }
    for process in processes where !found.contains(process.id) && process.id != runner && carriesMark(process.id) {
      found.insert(process.id)
    }
    found.remove(getpid())
    let zombies = Set(processes.filter(\.isZombie).map(\.id))
    return found.subtracting(zombies).sorted()
  }

  /// Ends all members: SIGTERM, up to `grace` seconds for them to go, then SIGKILL until none is left, at most 30 seconds more.
  /// Returns whether there were any, and whether all are gone.
  package func end(of runner: pid_t?, grace: Double) -> (any: Bool, gone: Bool) {
    var left = members(of: runner)
    if left.isEmpty { return (false, true) }
    for pid in left {
      kill(pid, SIGTERM)
      // A stopped process does not see SIGTERM.
      kill(pid, SIGCONT)
    }
    let start = MonotonicClock.now
    while MonotonicClock.now < start + grace + 30 {
      Self.reapOrphans()
      left = members(of: runner)
      if left.isEmpty { return (true, true) }
      if MonotonicClock.now >= start + grace { for pid in left { kill(pid, SIGKILL) } }
      poll(nil, 0, 20)
    }
    return (true, false)
  }

  /// Collects ended children of the caller.
  package static func reapOrphans() {
    var status: Int32 = 0
    while waitpid(-1, &status, WNOHANG) > 0 {}
  }

  private func carriesMark(_ pid: pid_t) -> Bool {
    if let path = ProcessTable.link("/proc/\(pid)/cwd"), directories.contains(where: { path == $0 || path.hasPrefix($0 + "/") }) { return true }
    guard let bytes = BoundedFile.contents("/proc/\(pid)/environ", limit: 1 << 18) else { return false }
    return bytes.split(separator: 0).contains { $0.elementsEqual(mark.utf8) }
  }
}
