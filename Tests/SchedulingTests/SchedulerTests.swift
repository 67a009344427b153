import BuildModel
import Scheduling
import Testing

/// The scheduler's decisions for small farms.
struct SchedulerTests {
  let now = Timestamp(milliseconds: 1_800_000_000_000)

  func host(_ name: String, _ architectures: [Architecture], change: (inout HostOffer) -> Void = { _ in }) throws -> HostOffer {
    var offer = HostOffer(
      name: try HostName(name), architectures: architectures, slots: 1, running: 0, features: ["git", "build-user"],
      freeDiskBytes: 100 << 30, clockSkew: 0, warmMachines: [], busyMachines: [], availability: .ready)
    change(&offer)
    return offer
  }

  func need(_ slug: String, _ arch: Architecture, seconds: Double? = nil, avoid: [String] = []) throws -> TaskNeed {
    TaskNeed(
      slug: try Slug(slug), machine: try Machine(slug), arch: arch, features: ["git"], diskBytes: 1 << 30, queuedAt: now,
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
    #expect(decisions[1] == .wait(try Slug("short"), [HostReason(host: try HostName("b"), reasons: ["is busy (1 of 1 slots)"])]))
  }

  @Test func namesEveryHostForAnArchitectureThatNobodyServes() throws {
    let hosts = [try host("a", [.aarch64]), try host("b", [.amd64])]
    let decisions = Scheduler.decide(tasks: [try need("quark", .i386)], hosts: hosts, now: now)
    #expect(
      decisions == [
        .wait(
          try Slug("quark"),
          [
            HostReason(host: try HostName("a"), reasons: ["does not serve i386 (serves aarch64)"]),
            HostReason(host: try HostName("b"), reasons: ["does not serve i386 (serves amd64)"]),
          ])
      ])
  }

  @Test func givesUpWhenEveryFittingHostIsLeftOut() throws {
    let hosts = [try host("a", [.aarch64]) { $0.availability = .leftOut("is down") }, try host("b", [.amd64])]
    guard case .giveUp(_, let reason, let hosts)? = Scheduler.decide(tasks: [try need("pi", .aarch64)], hosts: hosts, now: now).first else {
      Issue.record("the task was not given up")
      return
    }
    #expect(reason == "no host is left for aarch64")
    #expect(hosts[0].reasons == ["is left out: is down"])
  }

  @Test func waitsForAHostThatBacksOff() throws {
    let until = now.adding(seconds: 60)
    let backing = try host("a", [.aarch64]) { $0.availability = .backingOff(until: until, "disk full") }
    guard case .wait? = Scheduler.decide(tasks: [try need("pi", .aarch64)], hosts: [backing], now: now).first else {
      Issue.record("it should wait")
      return
    }
    let later = Scheduler.decide(tasks: [try need("pi", .aarch64)], hosts: [backing], now: until.adding(seconds: 1))
    #expect(later == [.dispatch(try Slug("pi"), try HostName("a"))])
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
    guard case .wait(_, let reasons)? = Scheduler.decide(tasks: [need], hosts: [busy], now: now).first else {
      Issue.record("it should wait")
      return
    }
    #expect(reasons[0].reasons == ["is building module already (its shared state has one writer at a time)"])
  }

  @Test func givesUpAfterTheQueueWait() throws {
    let late = now.adding(seconds: 3601)
    guard case .giveUp? = Scheduler.decide(tasks: [try need("quark", .i386)], hosts: [try host("b", [.amd64])], now: late, queueWait: 3600).first
    else {
      Issue.record("it should give up")
      return
    }
  }
}

/// Retry and backoff.
struct RetryTests {
  @Test(arguments: [
    (Failure.Kind.build, 1, RetryRule.Next.end), (.infrastructure, 1, .another), (.infrastructure, 2, .another), (.infrastructure, 3, .end),
    (.lost, 1, .another), (.rejected, 1, .end), (.coordinator, 1, .end), (.timedOut, 1, .end), (.cancelled, 1, .end),
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
