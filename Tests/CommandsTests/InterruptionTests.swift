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
