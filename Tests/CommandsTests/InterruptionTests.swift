import Foundation
import TestPeers
import Testing

/// Requests that are cancelled, or whose coordinator dies.
@Suite struct InterruptionTests {
  /// A build that waits in its first bitbake task, far enough that its process is there.
  private func hanging(_ farm: SampleFarm) throws -> Child {
    let build = try farm.start(["build", "--local", "-m", "acme-board7", "--blocks", "acme-diagnostics"])
    try build.waitFor("acme-board7: feed …")
    return build
  }

  private func expectCancelled(_ ended: Child.Ended, _ farm: SampleFarm) throws {
    #expect(ended.status == 130, "\(ended)")
    let report = try farm.index().deviceType("acme-board7")
    #expect(report["outcome"].text == "cancelled")
    #expect(report["reason"].text?.isEmpty == false)
    #expect(farm.processes().isEmpty, "a process is left on the worker's side")
    // It has ended: the same command begins anew.
    #expect(try !JSON(farm.run("status", "--json").output)["endedAt"].isNull)
  }

  @Test(arguments: ["hang=1", "hang=setsid"]) func interrupted(_ fault: String) throws {
    let farm = try SampleFarm(faults: [fault])
    let build = try hanging(farm)
    build.signal(SIGINT)
    try expectCancelled(build.wait(), farm)
  }

  @Test func cancelledByAnotherProcess() throws {
    let farm = try SampleFarm(faults: ["hang=1"])
    let build = try hanging(farm)
    let second = try farm.run("build", "--local", "-m", "acme-board64")
    #expect(second.status == 3)
    #expect(second.errors.contains("another blockfarm works with the state in \(farm.directory)/state"))
    let running = try JSON(farm.run("status", "--json").output)
    #expect(running["tasks"][0]["state"].text == "running")
    #expect(running["isWorkedOn"].number == 1 && running["note"].text == nil)
    let cancel = try farm.run("cancel")
    #expect(cancel.status == 0)
    #expect(cancel.output.contains(try #require(running["request"].text)))
    try expectCancelled(build.wait(), farm)
  }

  /// The attempt goes on without its coordinator; the same command finds it again.
  @Test func killedCoordinator() throws {
    let farm = try SampleFarm(faults: ["slow=3"])
    let build = try hanging(farm)
    build.signal(SIGKILL)
    #expect(build.wait().status == 128 + SIGKILL)
    let request = try #require(farm.requests().first)
    let status = try JSON(farm.run("status", "--json").output)
    #expect(status["tasks"][0]["state"].text == "running")
    #expect(status["isWorkedOn"].number == 0)
    let note =
      "nobody works on it: its blockfarm was process \(build.pid), and it has died. What runs on the hosts goes on there; "
      + "'blockfarm build' with the same arguments continues it, and 'blockfarm cancel \(request)' ends it"
    #expect(status["note"].text == note)
    #expect(try farm.run("status").output.contains("\n\(note)\n"))
    #expect(try farm.run("explain", "acme-board7").output.contains(note))
    let again = try farm.build("-m", "acme-board7", "--blocks", "acme-diagnostics")
    #expect(again.status == 0, "\(again)")
    #expect(again.errors.contains("request \(request): 1 device type, resumed"))
    let index = try farm.index()
    #expect(index["request"].text == request)
    #expect(index.deviceType("acme-board7")["outcome"].text == "built")
    #expect(index.deviceType("acme-board7")["attempts"].number == 1)
    let attempts = try FileManager.default.contentsOfDirectory(atPath: farm.directory + "/state/local/attempts")
    #expect(attempts == ["\(request).acme-board7.1"])
  }

  /// Of two device types that are in hand when blockfarm crashes again and again one may be the cause. The second and the third start find out which:
  /// the other one goes on.
  @Test func crashesOverAndOver() throws {
    let farm = try SampleFarm(faults: ["hang=1"])
    let words = ["build", "--local", "-m", "acme-board64", "-m", "acme-board7", "--blocks", "acme-diagnostics", "--slots", "2"]
    for _ in 1...2 {
      let build = try farm.start(words)
      for slug in ["acme-board64", "acme-board7"] { try build.waitFor("\(slug): attempt 1 on local") }
      build.signal(SIGILL)
      #expect(build.wait().status == 128 + SIGILL)
    }
    let alone = try farm.start(words)
    try alone.waitFor("acme-board64: attempt 1 on local")
    alone.signal(SIGABRT)
    let third = alone.wait()
    #expect(third.status == 128 + SIGABRT)
    #expect(third.errors.contains("acme-board7: blockfarm crashed twice in a row"))
    #expect(!third.errors.contains("acme-board7: attempt 1"), "only one of the two was in hand")
    let last = try farm.start(words)
    try last.waitFor("acme-board7: attempt 1 on local")
    last.signal(SIGINT)
    #expect(last.wait().status == 130)
    let index = try farm.index()
    #expect(index.deviceType("acme-board64")["outcome"].text == "failed")
    #expect(
      index.deviceType("acme-board64")["reason"].text
        == "blockfarm crashed 3 times in a row while it was working on acme-board64; the device type is given up so that the others go on")
    #expect(index.deviceType("acme-board7")["outcome"].text == "cancelled")
  }

  /// A wish to cancel does not hide why the attempt before it failed; and nobody is promised another host where there is none.
  @Test func aCancelledDeviceTypeKeepsItsCause() throws {
    let farm = try SampleFarm()
    let worker = try SampleFarm.program("blockfarm-worker")
    try farm.write("#!/bin/sh\nif [ \"$1\" = start ]; then echo 'no such disk' >&2; exit 1; fi\nexec '\(worker)' \"$@\"\n", to: "failing-worker")
    try Tool.run("chmod", "755", farm.directory + "/failing-worker")
    let build = try farm.start(
      ["build", "--local", "-m", "acme-board7"], variables: ["BLOCKFARM_WORKER": farm.directory + "/failing-worker"])
    try build.waitFor("acme-board7: tried again on local, because no other host can build it: ")
    try build.waitFor("acme-board7: waits: local is backing off")
    build.signal(SIGINT)
    let ended = build.wait()
    #expect(ended.status == 130 && !ended.errors.contains("another host"), "\(ended)")
    let cause = "cancelled; attempt 1 had failed: "
    let reason = try #require(farm.index().deviceType("acme-board7")["reason"].text)
    #expect(reason.hasPrefix(cause) && reason.contains("no such disk"), "\(reason)")
    #expect(ended.errors.contains("acme-board7: \(reason)\n"), "\(ended.errors)")
    #expect(try farm.run("explain", "acme-board7").output == "acme-board7: \(reason)\n")
  }

  /// What the plan could not read is in the index of a request that no engine ended, too.
  @Test func aCancelledRequestKeepsWhatCouldNotBeRead() throws {
    let farm = try SampleFarm(faults: ["hang=1"])
    try farm.write("module.exports =\n\tslug: 'broken\n", to: "checkouts/balena-acme-arm/broken.coffee")
    try farm.git("add", "broken.coffee")
    try farm.commit()
    let build = try farm.start(["build", "--local", "-m", "acme-board7", "-m", "broken", "--blocks", "acme-diagnostics"])
    try build.waitFor("acme-board7: feed …")
    build.signal(SIGKILL)
    _ = build.wait()
    #expect(try farm.run("cancel").status == 0)
    let problems = try farm.index()["problems"].items.compactMap(\.text)
    #expect(problems.count == 1 && problems[0].hasSuffix("broken.coffee:2: a text has no closing '"), "\(problems)")
  }

  /// Without an engine, cancel ends what still runs by itself.
  @Test func cancelledAfterTheCoordinatorDied() throws {
    let farm = try SampleFarm(faults: ["hang=1"])
    let build = try hanging(farm)
    build.signal(SIGKILL)
    _ = build.wait()
    #expect(!farm.processes().isEmpty, "the attempt goes on without its coordinator")
    let cancel = try farm.run("cancel")
    #expect(cancel.status == 0, "\(cancel)")
    #expect(farm.processes().isEmpty, "a process is left on the worker's side")
  }
}
