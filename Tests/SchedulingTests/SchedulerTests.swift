import BuildModel
import Scheduling
import Testing

/// The scheduler's decisions for small farms.
struct SchedulerTests {
  let now = Timestamp(milliseconds: 1_800_000_000_000)

  func host(_ name: String, _ architectures: [Architecture], change: (inout HostOffer) -> Void = { _ in }) throws -> HostOffer {
    var offer = HostOffer(
      name: try HostName(name), architectures: architectures, slots: 1, running: 0, features: [.git, .buildUser],
      freeDiskBytes: 100 << 30, clockSkew: 0, warmMachines: [], busyMachines: [], availability: .ready)
    change(&offer)
    return offer
  }

  func need(_ slug: String, _ arch: Architecture, seconds: Double? = nil, avoid: [String] = []) throws -> TaskNeed {
    TaskNeed(
      slug: try Slug(slug), machine: try Machine(slug), arch: arch, features: [.git], diskBytes: 1 << 30, queuedAt: now,
      expectedSeconds: seconds, avoid: Set(try avoid.map { try HostName($0) }))
  }

  @Test func placesEachTaskOnAHostOfItsArchitecture() throws {
    let hosts = [try host("a", [.aarch64, .armv7hf]), try host("b", [.amd64])]
    let decisions = Scheduler.decide(tasks: [try need("pi", .aarch64), try need("nuc", .amd64)], hosts: hosts, now: now)
    #expect(Set(decisions) == [.dispatch(try Slug("pi"), try HostName("a")), .dispatch(try Slug("nuc"), try HostName("b"))])
  }

  @Test func givesOneSlotToOneTaskAndLetsTheOtherWait() throws {
    let decisions = Scheduler.decide(
      tasks: [try need("short", .amd64, seconds: 10), try need("long", .amd64, seconds: 100)], hosts: [try host("b", [.amd64])], now: now)
    #expect(decisions[0] == .dispatch(try Slug("long"), try HostName("b")))
    #expect(decisions[1] == .wait(try Slug("short"), [HostLacks(host: try HostName("b"), obstacles: [.slots(1)])]))
    #expect(HostObstacle.slots(1).description == "is busy (1 of 1 slot)")
  }

  /// A host that may be added is waited for only where that was asked for.
  @Test func failsAtOnceForAnArchitectureThatNobodyServes() throws {
    let hosts = [try host("a", [.aarch64]), try host("b", [.amd64]) { $0.availability = .down("refused") }]
    let lacks = [
      HostLacks(host: try HostName("a"), obstacles: [.architecture(needed: .i386, served: [.aarch64])]),
      HostLacks(host: try HostName("b"), obstacles: [.architecture(needed: .i386, served: [.amd64])]),
    ]
    let reason =
      "no host serves i386 (the hosts serve aarch64, amd64): add one with 'blockfarm worker add --architectures i386 user@host', "
      + "or wait for one with --wait"
    let tasks = [try need("quark", .i386)]
    #expect(Scheduler.decide(tasks: tasks, hosts: hosts, now: now) == [.giveUp(try Slug("quark"), reason, .request, lacks)])
    #expect(Scheduler.decide(tasks: tasks, hosts: hosts, now: now, waitsForHosts: true) == [.wait(try Slug("quark"), lacks)])
  }

  @Test func failsAtOnceWithoutAnyHost() throws {
    let tasks = [try need("pi", .aarch64)]
    let reason =
      "no host is configured: add one with 'blockfarm worker add user@host', build on this machine with --local, or wait for a host with --wait"
    #expect(Scheduler.decide(tasks: tasks, hosts: [], now: now) == [.giveUp(try Slug("pi"), reason, .request, [])])
    #expect(Scheduler.decide(tasks: tasks, hosts: [], now: now, waitsForHosts: true) == [.wait(try Slug("pi"), [])])
  }

  @Test func givesUpWhenEveryFittingHostIsLeftOut() throws {
    let hosts = [try host("a", [.aarch64]) { $0.availability = .leftOut("another host key") }, try host("b", [.amd64])]
    guard case .giveUp(_, let reason, let blame, let lacks)? = Scheduler.decide(tasks: [try need("pi", .aarch64)], hosts: hosts, now: now).first
    else {
      Issue.record("the task was not given up")
      return
    }
    #expect(reason == "no host is left for aarch64: a is left out: another host key")
    #expect(blame == .host)
    #expect(lacks.map(\.host.text) == ["a", "b"])
  }

  /// What time or a person may change at any time is waited for, even where every other host is out of the game.
  @Test(arguments: [
    HostOffer.Availability.drained("by hand"), .down("Connection refused"), .unasked,
    .backingOff(until: Timestamp(milliseconds: 1_800_000_060_000), "disk full"),
  ])
  func waitsForWhatPasses(availability: HostOffer.Availability) throws {
    let hosts = [
      try host("a", [.aarch64]) { $0.availability = availability }, try host("b", [.aarch64]) { $0.availability = .leftOut("another host key") },
    ]
    guard case .wait(_, let lacks)? = Scheduler.decide(tasks: [try need("pi", .aarch64)], hosts: hosts, now: now).first else {
      Issue.record("it should wait")
      return
    }
    #expect(lacks[0].obstacles.count == 1 && lacks[0].servesArchitecture)
  }

  @Test func takesAHostWhenItsBackOffIsOver() throws {
    let backing = try host("a", [.aarch64]) { $0.availability = .backingOff(until: now.adding(seconds: 60), "disk full") }
    let later = Scheduler.decide(tasks: [try need("pi", .aarch64)], hosts: [backing], now: now.adding(seconds: 61))
    #expect(later == [.dispatch(try Slug("pi"), try HostName("a"))])
  }

  /// A fetch is tried elsewhere where elsewhere is: a host that is busy will come free, one that is down may never.
  @Test func knowsWhetherAnotherHostCanTry() throws {
    let failed = try need("pi", .aarch64, avoid: ["a"])
    let a = try host("a", [.aarch64])
    func hasAnother(_ change: (inout HostOffer) -> Void) throws -> Bool {
      Scheduler.hasAnother(for: failed, hosts: [a, try host("b", [.aarch64], change: change)], now: now)
    }
    #expect(!Scheduler.hasAnother(for: failed, hosts: [a], now: now))
    #expect(try hasAnother { $0.running = 1 })
    #expect(try !hasAnother { $0.availability = .down("Connection refused") })
    #expect(try !hasAnother { $0.availability = .drained("by hand") })
    #expect(try !hasAnother { $0.architectures = [.amd64] })
  }

  /// Retrying on a host that failed is better than waiting for one that somebody has to bring back.
  @Test func doesNotWaitForADrainedHostWhereAnotherOneOnlyFailed() throws {
    let failed = try need("pi", .aarch64, avoid: ["a"])
    let hosts = [try host("a", [.aarch64]), try host("b", [.aarch64]) { $0.availability = .drained("by hand") }]
    #expect(Scheduler.decide(tasks: [failed], hosts: hosts, now: now) == [.dispatch(try Slug("pi"), try HostName("a"))])
  }

  @Test func prefersAnotherHostAfterAFailureButTakesTheSameWhenItIsTheOnlyOne() throws {
    let (a, b) = (try host("a", [.amd64]), try host("b", [.amd64]))
    let failed = try need("nuc", .amd64, avoid: ["a"])
    #expect(Scheduler.decide(tasks: [failed], hosts: [a, b], now: now) == [.dispatch(try Slug("nuc"), try HostName("b"))])
    #expect(Scheduler.decide(tasks: [failed], hosts: [a], now: now) == [.dispatch(try Slug("nuc"), try HostName("a"))])
  }

  @Test func prefersWarmSharedState() throws {
    let hosts = [try host("a", [.amd64]), try host("b", [.amd64]) { $0.warmMachines = ["nuc"] }]
    #expect(Scheduler.decide(tasks: [try need("nuc", .amd64)], hosts: hosts, now: now) == [.dispatch(try Slug("nuc"), try HostName("b"))])
  }

  @Test func letsOneWriterAtATimeIntoAMachinesSharedState() throws {
    let busy = try host("a", [.aarch64]) {
      $0.slots = 4
      $0.busyMachines = ["module"]
    }
    let need = TaskNeed(
      slug: try Slug("module-sb"), machine: try Machine("module"), arch: .aarch64, features: [], diskBytes: 0, queuedAt: now,
      expectedSeconds: nil, avoid: [])
    guard case .wait(_, let lacks)? = Scheduler.decide(tasks: [need], hosts: [busy], now: now).first else {
      Issue.record("it should wait")
      return
    }
    #expect(lacks[0].reason.reasons == ["is building module already (its shared state has one writer at a time)"])
  }

  @Test func givesUpAfterTheQueueWait() throws {
    let late = now.adding(seconds: 3601)
    let down = try host("b", [.amd64]) { $0.availability = .down("Connection refused") }
    let lacks = [HostLacks(host: try HostName("b"), obstacles: [.down("Connection refused")])]
    #expect(
      Scheduler.decide(tasks: [try need("nuc", .amd64)], hosts: [down], now: late, queueWait: 3600) == [
        .giveUp(
          try Slug("nuc"), "no host came free within 3600 s (queueWaitSeconds): b does not answer: Connection refused", .host, lacks)
      ])
  }

  /// Figures change all the time; what a task waits for is the same.
  @Test func namesTheKindOfAnObstacleWithoutItsFigures() {
    #expect(HostObstacle.disk(neededBytes: 1, freeBytes: 0).kind == HostObstacle.disk(neededBytes: 2, freeBytes: 1).kind)
    #expect(HostObstacle.down("a").kind == HostObstacle.down("b").kind)
    #expect(HostObstacle.down("a").kind != HostObstacle.drained("a").kind)
  }

  /// Time does not give a host a sandbox: a task that only it could take is given up with the reason.
  @Test func aHostWithoutASandboxDoesNotFit() throws {
    var task = try need("pi", .aarch64)
    task.features.insert(.bubblewrap)
    let without = try host("a", [.aarch64]) { $0.sandboxObstacle = "bwrap is not installed" }
    let obstacles = HostMatch.obstacles(of: without, for: task, now: now)
    #expect(obstacles == [.sandbox("bwrap is not installed")])
    #expect(obstacles.first?.outlook == .never)
    #expect(
      obstacles.first?.description
        == "runs no build without a sandbox: bwrap is not installed ('isolation: none' in its file builds without one)")
    let with = try host("b", [.aarch64]) { $0.features.insert(.bubblewrap) }
    #expect(HostMatch.obstacles(of: with, for: task, now: now) == [])
    // What needs no bitbake needs no sandbox.
    #expect(HostMatch.obstacles(of: without, for: try need("pi", .aarch64), now: now) == [])
  }

  @Test func saysThatBitbakeRefusesRoot() {
    #expect(
      HostObstacle.features([.buildUser]).description
        == "its worker runs as root, and bitbake refuses to run as root (give it the account of an ordinary user)")
  }
}

/// Retry and backoff.
struct RetryTests {
  @Test(arguments: [
    (Failure.Kind.build, 1, RetryRule.Next.end), (.infrastructure, 1, .another), (.infrastructure, 2, .another), (.infrastructure, 3, .end),
    (.lost, 1, .another), (.rejected, 1, .end), (.coordinator, 1, .end), (.cloud, 1, .end), (.fetch, 1, .another), (.fetch, 2, .end),
    (.timedOut, 1, .end), (.cancelled, 1, .end),
  ])
  func decidesFromTheKindAlone(kind: Failure.Kind, attempts: Int, expected: RetryRule.Next) {
    #expect(RetryRule.next(after: Failure(kind: kind, step: nil, reason: ""), attempts: attempts) == expected)
  }

  @Test func backsOffThenDrains() {
    let now = Timestamp(milliseconds: 0)
    var health = HostHealth()
    #expect(health.availability(now: now, jitter: 0) == .ready)
    health.failed("disk full")
    #expect(health.availability(now: now, jitter: 0) == .backingOff(until: Timestamp(milliseconds: 60_000), "disk full"))
    health.failed("disk full")
    #expect(health.availability(now: now, jitter: 0) == .backingOff(until: Timestamp(milliseconds: 180_000), "disk full"))
    health.failed("killed for memory")
    #expect(health.availability(now: now, jitter: 0) == .drained("3 failures in a row, last: killed for memory"))
    health.succeeded()
    #expect(health.availability(now: now, jitter: 0) == .ready)
  }
}
