import BuildModel

/// What to do with one waiting task now.
package enum Decision: Hashable, Sendable {
  case dispatch(Slug, HostName)
  /// No host fits now, but one will or may; every host's lacks are listed.
  case wait(Slug, [HostLacks])
  /// No host can do it in this request: why, what to do, and whose fault it is.
  case giveUp(Slug, String, Blame, [HostLacks])
}

/// Places waiting tasks on hosts. Pure: the same tasks, hosts and time give the same decisions.
package enum Scheduler {
  /// Seconds that a task may wait for a host before the request gives it up.
  package static let defaultQueueWait = 24 * 3600.0

  /// `waitsForHosts`: a task for which there is no host waits for one that is added.
  package static func decide(
    tasks: [TaskNeed], hosts: [HostOffer], now: Timestamp, queueWait: Double = defaultQueueWait, waitsForHosts: Bool = false
  ) -> [Decision] {
    var hosts = hosts.sorted { $0.name < $1.name }
    return tasks.sorted(by: longestFirst).map { need in
      let offers = hosts.map { ($0, HostMatch.obstacles(of: $0, for: need, now: now)) }
      if let best = candidates(offers).max(by: { better($1, than: $0, for: need) }) {
        if let index = hosts.firstIndex(where: { $0.name == best.name }) {
          hosts[index].running += 1
          hosts[index].busyMachines.insert(need.machine.text)
          hosts[index].claim(diskBytes: need.diskBytes)
        }
        return .dispatch(need.slug, best.name)
      }
      let lacks = offers.map { HostLacks(host: $0.0.name, obstacles: $0.1) }
      if !waitsForHosts, let (reason, blame) = hopeless(need, lacks, hosts) { return .giveUp(need.slug, reason, blame, lacks) }
      if now.seconds(since: need.queuedAt) > queueWait {
        let limit = Int(saturating: queueWait)
        return .giveUp(need.slug, "no host came free within \(limit) s (queueWaitSeconds): " + named(lacks, of: need), .host, lacks)
      }
      return .wait(need.slug, lacks)
    }
  }

  /// Whether a host that has not failed the task yet can take it, now or when it comes free.
  package static func hasAnother(for need: TaskNeed, hosts: [HostOffer], now: Timestamp) -> Bool {
    hosts.contains { host in
      !need.avoid.contains(host.name)
        && HostLacks(host: host.name, obstacles: HostMatch.obstacles(of: host, for: need, now: now)).outlook == .soon
    }
  }

  /// Hosts that lack nothing; when there are none and none will come free either, those that only failed this task before.
  private static func candidates(_ offers: [(HostOffer, [HostObstacle])]) -> [HostOffer] {
    let free = offers.filter { $0.1.isEmpty }
    if !free.isEmpty { return free.map(\.0) }
    guard !offers.contains(where: { $0.1.allSatisfy { $0.outlook == .soon && $0 != .failedThisTaskBefore } }) else { return [] }
    return offers.filter { $0.1 == [.failedThisTaskBefore] }.map(\.0)
  }

  /// Why waiting is of no use, and what to do: there is no host, none serves the architecture, or each that does needs a change first.
  private static func hopeless(_ need: TaskNeed, _ lacks: [HostLacks], _ hosts: [HostOffer]) -> (String, Blame)? {
    guard !hosts.isEmpty else {
      return (
        "no host is configured: add one with 'blockfarm worker add user@host', build on this machine with --local, "
          + "or wait for a host with --wait", .request
      )
    }
    let fitting = lacks.filter(\.servesArchitecture)
    guard !fitting.isEmpty else {
      let served = Set(hosts.flatMap(\.architectures)).map(\.rawValue).sorted().joined(separator: ", ")
      return (
        "no host serves \(need.arch) (the hosts serve \(served)): add one with 'blockfarm worker add --architectures \(need.arch) user@host', "
          + "or wait for one with --wait", .request
      )
    }
    guard fitting.allSatisfy({ $0.outlook == .never }) else { return nil }
    return ("no host is left for \(need.arch): " + named(lacks, of: need), .host)
  }

  /// The hosts of the task's architecture with their reasons; of many, the first ones.
  private static func named(_ lacks: [HostLacks], of need: TaskNeed) -> String {
    let fitting = lacks.filter(\.servesArchitecture)
    let shown = (fitting.isEmpty ? lacks : fitting).map(\.reason.description)
    return shown.prefix(3).joined(separator: "; ") + (shown.count > 3 ? "; and \(shown.count - 3) more" : "")
  }

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
