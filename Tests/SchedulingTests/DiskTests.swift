import BuildModel
import Scheduling
import Testing

/// How much disk is asked for, and which hosts have it.
struct DiskTests {
  let now = Timestamp(milliseconds: 1_800_000_000_000)
  private let gigabyte: Int64 = 1_000_000_000

  @Test(
    arguments: [
      // Stated and seen, in GB.
      (nil, [], 50), (1, [], 1), (nil, [20], 30), (1, [2], 3), (80, [20, 40, 10], 60),
      // A worker that names any number is believed up to four times what was stated.
      (1, [1000], 4), (nil, [Int64.max / 1_000_000_000], 200), (1, [0], 1), (1, [-7], 1),
    ] as [(Int64?, [Int64], Int64)])
  func whatWasSeenCountsMoreThanWhatWasStated(_ stated: Int64?, _ seen: [Int64], _ need: Int64) {
    let stated = stated.map { ByteCount(bytes: $0 * gigabyte) }
    #expect(DiskNeed.need(stated: stated, seen: seen.map { $0 * gigabyte }) == ByteCount(bytes: need * gigabyte))
  }

  @Test func nothingTraps() {
    #expect(DiskNeed.need(stated: ByteCount(bytes: .max), seen: [.max]).bytes == .max)
    #expect(DiskNeed.need(stated: nil, seen: [.min]) == DiskNeed.realBuild)
  }

  private func host(_ name: String, free: Int64, claimed: Int64 = 0, slots: Int = 2) throws -> HostOffer {
    HostOffer(
      name: try HostName(name), architectures: [.aarch64], slots: slots, running: 0, features: [], freeDiskBytes: free * gigabyte, clockSkew: 0,
      warmMachines: [], busyMachines: [], availability: .ready, claimedDiskBytes: claimed * gigabyte)
  }

  private func need(_ slug: String, _ disk: Int64) throws -> TaskNeed {
    TaskNeed(
      slug: try Slug(slug), machine: try Machine(slug), arch: .aarch64, features: [], diskBytes: disk * gigabyte, queuedAt: now, expectedSeconds: nil,
      avoid: [])
  }

  @Test func aHostWithLessIsNotChosen() throws {
    let hosts = [try host("large", free: 50), try host("small", free: 49)]
    #expect(
      Scheduler.decide(tasks: [try need("pi", 50)], hosts: hosts, now: now) == [.dispatch(try Slug("pi"), try HostName("large"))])
    guard
      case .giveUp(_, _, .host, let lacks)? = Scheduler.decide(tasks: [try need("pi", 51)], hosts: hosts, now: now).first
    else {
      Issue.record("it should give up")
      return
    }
    #expect(
      lacks.map { "\($0.host) \($0.reason.reasons)" } == [
        #"large ["has 50 GB of free disk, 51 GB are needed"]"#, #"small ["has 49 GB of free disk, 51 GB are needed"]"#,
      ])
  }

  /// What a running build has not taken yet is not free for another one, and that passes by itself.
  @Test func aRunningBuildKeepsItsShare() throws {
    let claimed = HostObstacle.diskClaimed(neededBytes: 50 * gigabyte, freeBytes: 90 * gigabyte, claimedBytes: 50 * gigabyte)
    #expect(claimed.description == "has 90 GB of free disk, of which running builds may need 50 GB; 50 GB are needed")
    let busy = try host("a", free: 90, claimed: 50)
    #expect(
      Scheduler.decide(tasks: [try need("pi", 50)], hosts: [busy], now: now)
        == [.wait(try Slug("pi"), [HostLacks(host: busy.name, obstacles: [claimed])])])
    // The same for two that are placed at once.
    let decisions = Scheduler.decide(tasks: [try need("a", 50), try need("b", 50)], hosts: [try host("a", free: 90)], now: now)
    #expect(decisions == [.dispatch(try Slug("a"), busy.name), .wait(try Slug("b"), [HostLacks(host: busy.name, obstacles: [claimed])])])
    // What it has taken already comes back with its end.
    var full = try host("a", free: 40, claimed: 50)
    full.running = 1
    guard case .wait? = Scheduler.decide(tasks: [try need("pi", 50)], hosts: [full], now: now).first else {
      Issue.record("it should wait")
      return
    }
    #expect(HostMatch.obstacles(of: try host("a", free: -9_000_000_000, claimed: 1), for: try need("a", -9_000_000_000), now: now).count == 1)
  }
}
