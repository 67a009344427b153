import Foundation
import TestPeers
import Testing

/// What hosts hear of outcomes that are stored, and what they free then.
@Suite(.serialized) struct GarbageCommandTests {
  private let build = ["build", "-m", "acme-board7", "--blocks", "acme-wireless", "--only", "blocks"]

  private func attempts(below root: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: root + "/attempts").map { "\(root)/attempts/\($0)" }
  }

  private func isThere(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

  @Test func aHostLetsGoOfWhatIsStored() throws {
    let farm = try SampleFarm()
    try withPrivateHost("arm-1", of: farm) { host in
      try #require(host.add("--architectures", "armv7hf").status == 0)
      let built = try farm.start(build).wait()
      try #require(built.status == 0, "\(built)")
      let attempt = try #require(try attempts(below: host.root).first)
      #expect(isThere(attempt + "/acknowledged") && isThere(attempt + "/outcome.json") && !isThere(attempt + "/tree"))
      let freed = try farm.run("worker", "gc")
      #expect(freed.status == 0 && freed.output.contains("HOST") && freed.output.contains("arm-1  done"), "\(freed)")
      #expect(freed.output.contains("\n\narm-1 still keeps:\n") && freed.output.contains("  shared state of bitbake: directories in "), "\(freed)")
      #expect(!freed.output.contains("that no farm has fetched"), "\(freed)")
      let unknown = try farm.run("worker", "gc", "arm-2")
      #expect(unknown.status == 2 && unknown.errors.contains("unknown host 'arm-2'"), "\(unknown)")
      host.sshd.stop()
      let down = try farm.run("worker", "gc", "--json")
      #expect(down.status == 3, "\(down)")
      let row = try JSON(down.output)["hosts"][0]
      #expect(row["name"].text == "arm-1" && row["freedBytes"].number == nil && row["problem"].text?.contains("arm-1") == true)
    }
  }

  /// A host that could not be reached costs nothing, and hears of it at the next contact.
  @Test func aHostThatDidNotHearItIsToldAgain() throws {
    let farm = try SampleFarm()
    try withPrivateHost("arm-1", of: farm) { host in
      try #require(host.add("--architectures", "armv7hf").status == 0)
      try host.replaceWorker(by: "[ \"$1\" != acknowledge ] || [ -e '\(farm.directory)/hears' ] || exit 1\nexec \"$worker\" \"$@\"")
      let built = try farm.start(build).wait()
      #expect(built.status == 0, "\(built)")
      let first = try #require(try attempts(below: host.root).first)
      #expect(!isThere(first + "/acknowledged"))
      try farm.write("", to: "hears")
      // The next request probes the host, because it has something to build there.
      let next = try farm.run("build", "-m", "acme-board7", "--blocks", "acme-diagnostics", "--only", "blocks")
      #expect(next.status == 0, "\(next)")
      #expect(isThere(first + "/acknowledged"))
      unlink(first + "/acknowledged")
      let kept = try farm.run("worker", "gc")
      #expect(
        kept.output.contains("  results of 1 build that no farm has fetched: 'blockfarm build' with the same arguments fetches them"), "\(kept)")
      // 'worker gc' is such a contact, too.
      let second = try #require(try attempts(below: host.root).first { $0 != first })
      #expect(isThere(second + "/acknowledged"))
      #expect(try JSON(farm.run("worker", "gc", "--json").output)["hosts"][0]["acknowledged"].number == 0)
    }
  }

  @Test func thisMachineKeepsItsTree() throws {
    let farm = try SampleFarm()
    let built = try farm.start(build + ["--local"]).wait()
    try #require(built.status == 0, "\(built)")
    let attempt = try #require(try attempts(below: farm.directory + "/state/local").first)
    #expect(isThere(attempt + "/acknowledged"))
    #expect(isThere(attempt + "/tree/build"))
    let freed = try farm.run("worker", "gc", "local")
    #expect(freed.status == 0 && freed.output.contains("local  done"), "\(freed)")
  }

  /// A host that hangs while it makes room holds up neither other device types nor, for longer than they would wait anyway, those that need the room.
  @Test func aHostThatHangsAtMakingRoomHoldsNobodyUp() throws {
    let farm = try SampleFarm(["arm", "x86"])
    try farm.write(
      "state: state\noutput: out\nqueueWaitSeconds: 20\ndisk: 1 GB\nrepositories:\n  - {source: checkouts/balena-acme-arm, disk: 900000 TB}\n"
        + "  - {source: checkouts/balena-acme-x86}\n", to: "farm.yaml")
    try withPrivateHost("any-1", of: farm) { host in
      try #require(host.add("--architectures", "armv7hf,amd64", "--slots", "2").status == 0)
      try host.replaceWorker(by: "[ \"$1\" != gc ] || exec sleep 1000\nexec \"$worker\" \"$@\"")
      let build = try farm.start(["build", "-m", "acme-board7", "-m", "acme-pc", "--blocks", "acme-diagnostics", "--only", "blocks"], limit: 120)
      try build.waitFor("acme-pc: built")
      #expect(!build.text(of: .errors).contains("acme-board7: failed"), "the hanging host was not waited for")
      let ended = build.wait()
      #expect(ended.status == 3, "\(ended)")
      let report = try farm.index().deviceType("acme-board7")
      #expect(report["outcome"].text == "failed" && report["reason"].text?.contains("900000 TB are needed") == true, "\(ended.output)")
      #expect(ended.errors.contains("acme-board7: waits: any-1 has "), "\(ended.errors)")
    }
  }

  @Test func aHostWithoutTheDiskIsNotChosen() throws {
    let farm = try SampleFarm(extra: "")
    try farm.write(
      "state: state\noutput: out\nrepositories:\n  - {source: checkouts/balena-acme-arm, disk: 900000 TB}\n", to: "farm.yaml")
    let built = try farm.build("-m", "acme-board7")
    #expect(built.status == 3, "\(built)")
    let reasons = try farm.index().deviceType("acme-board7")["details"].items.compactMap(\.text)
    #expect(reasons.count == 1 && reasons[0].hasPrefix("local: has ") && reasons[0].hasSuffix(" of free disk, 900000 TB are needed"), "\(reasons)")
  }
}
