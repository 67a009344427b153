import BuildModel

/// What to do with one waiting task now.
package enum Decision: Hashable, Sendable {
  case dispatch(Slug, HostName)
  /// No host fits now; every host's lacks are listed.
  case wait(Slug, [HostReason])
  /// No host can ever do it in this request.
  case giveUp(Slug, String, [HostReason])
}

/// One host's part of an explanation.
package struct HostReason: Codable, Hashable, Sendable {
  package var host: HostName
  package var reasons: [String]
  package init(host: HostName, reasons: [String]) {
    self.host = host
    self.reasons = reasons
  }
}

/// Places waiting tasks on hosts. Pure: the same tasks, hosts and time give the same decisions.
package enum Scheduler {
  /// Seconds that a task may wait for a host before the request gives it up.
  package static let defaultQueueWait = 24 * 3600.0

  package static func decide(
    tasks: [TaskNeed], hosts: [HostOffer], now: Timestamp, queueWait: Double = defaultQueueWait
  ) -> [Decision] {
    var hosts = hosts.sorted { $0.name < $1.name }
    return tasks.sorted(by: longestFirst).map { need in
      let lacks = hosts.map { ($0, HostMatch.obstacles(of: $0, for: need, now: now)) }
      if let best = candidates(lacks).max(by: { better($1, than: $0, for: need) }) {
        if let index = hosts.firstIndex(where: { $0.name == best.name }) {
          hosts[index].running += 1
          hosts[index].busyMachines.insert(need.machine.text)
          hosts[index].claim(diskBytes: need.diskBytes)
        }
        return .dispatch(need.slug, best.name)
      }
      let reasons = lacks.map { HostReason(host: $0.0.name, reasons: $0.1.map(\.description)) }
      if now.seconds(since: need.queuedAt) > queueWait {
        return .giveUp(need.slug, "no host fitted for \(Int(queueWait)) s", reasons)
      }
      if let reason = hopeless(need, lacks.map(\.1)) { return .giveUp(need.slug, reason, reasons) }
      return .wait(need.slug, reasons)
    }
  }

  /// Hosts that lack nothing; when there are none and none will come free either, those that only failed this task before.
  private static func candidates(_ lacks: [(HostOffer, [HostObstacle])]) -> [HostOffer] {
    let free = lacks.filter { $0.1.isEmpty }
    if !free.isEmpty { return free.map(\.0) }
    guard !lacks.contains(where: { $0.1.allSatisfy(\.passesByItself) }) else { return [] }
    return lacks.filter { $0.1 == [.failedThisTaskBefore] }.map(\.0)
  }

  /// A task waits for a host that is busy, and for one of its architecture to be added. It is hopeless when hosts of its
  /// architecture exist and each of them is out of the game.
  private static func hopeless(_ need: TaskNeed, _ lacks: [[HostObstacle]]) -> String? {
    let fitting = lacks.filter { host in
      !host.contains {
        if case .architecture = $0 { true } else { false }
      }
    }
    guard !fitting.isEmpty, fitting.allSatisfy({ $0.contains(where: isFinal) }) else { return nil }
    return "no host is left for \(need.arch)"
  }

  private static func isFinal(_ lack: HostObstacle) -> Bool { !lack.passesByItself && lack != .failedThisTaskBefore }

  private static func longestFirst(_ a: TaskNeed, _ b: TaskNeed) -> Bool {
    let (first, second) = (a.expectedSeconds ?? .infinity, b.expectedSeconds ?? .infinity)
    return first == second ? a.slug < b.slug : first > second
  }

  /// Warm shared state first, then speed, then the emptier host, then the name.
  private static func better(_ a: HostOffer, than b: HostOffer, for need: TaskNeed) -> Bool {
    let warm = (a.warmMachines.contains(need.machine.text), b.warmMachines.contains(need.machine.text))
    if warm.0 != warm.1 { return warm.0 }
    if a.speed != b.speed { return a.speed > b.speed }
    let load = (a.running * b.slots, b.running * a.slots)
    if load.0 != load.1 { return load.0 < load.1 }
    return a.name < b.name
  }
}
