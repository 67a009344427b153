import Foundation
import TestPeers
import Testing

/// What a good build leaves.
@Suite struct ResultTests {
  @Test func treeAndReuse() throws {
    let farm = try SampleFarm()
    let arguments = ["-m", "acme-board7", "-m", "acme-retired", "--blocks", "acme-diagnostics"]
    let first = try farm.start(["build", "--local", "--json"] + arguments).wait()
    #expect(first.status == 0, "\(first.errors)")
    let printed = try JSON(first.output)
    #expect(printed["version"].number == 1)
    let request = try #require(printed["request"].text)
    let tree = "\(farm.directory)/out/\(request)"
    #expect(try JSON(String(contentsOfFile: tree + "/index.json", encoding: .utf8))["request"].text == request)
    let report = printed.deviceType("acme-board7")
    #expect(
      report.keys == [
        "arch", "artifacts", "attempts", "blame", "blocks", "details", "endedAt", "failure", "host", "images", "log", "machine", "notices", "outcome",
        "reason", "releases", "slug", "startedAt", "steps", "taskLogs", "version",
      ])
    let times = [report["startedAt"], report["endedAt"]].compactMap(\.text)
    #expect(times.count == 2 && times == times.sorted(), "\(times)")
    #expect(printed["blames"].items.isEmpty && printed["additionalVariables"].text == nil)
    #expect(report["outcome"].text == "built")
    #expect(report["reason"].isNull && report["failure"].isNull)
    #expect(report["arch"].text == "armv7hf")
    #expect(report["version"].text == "6.1.24+rev3")
    #expect(report["host"].text == "local")
    #expect(report["images"].items.compactMap { $0["path"].text } == ["images/balena-image-acme-board7.balenaos-img"])
    #expect(Set(report["steps"].items.compactMap { $0["name"].text }).isSuperset(of: ["feed", "blocks", "hostapp", "collect", "verify", "preload"]))
    let archive = "deploy-jenkins/acme-board7-acme-diagnostics-6.1.24+rev3.docker"
    #expect(report["artifacts"].items.contains { $0["path"].text == archive })
    #expect(printed.deviceType("acme-retired")["outcome"].text == "skipped")
    #expect(printed.deviceType("acme-retired")["reason"].text == "is discontinued")

    // Every artifact and image is there as it is listed; the layout's blobs carry their digest as their name.
    let sums = try Child(
      ["sha256sum", "--check", "--quiet", "--strict", "SHA256SUMS"], environment: SampleFarm.environment(home: "/"), directory: tree
    ).wait()
    #expect(sums.status == 0, "\(sums.output)\(sums.errors)")
    let listed = try String(contentsOfFile: tree + "/SHA256SUMS", encoding: .utf8).split(separator: "\n").map { String($0.dropFirst(66)) }
    let files = try Child(["find", ".", "-type", "f", "-printf", "%P\\n"], environment: SampleFarm.environment(home: "/"), directory: tree).wait()
      .output.split(separator: "\n").map(String.init)
    #expect(Set(listed).isSuperset(of: report["images"].items.compactMap { $0["path"].text.map { "acme-board7/" + $0 } }))
    let unlisted = Set(files).subtracting(listed).filter { !$0.hasPrefix("oci/") }
    #expect(unlisted == ["SHA256SUMS", "index.json", "junit.xml", "acme-board7/logs/attempt-1.log"])
    let latest = try FileManager.default.destinationOfSymbolicLink(atPath: "\(farm.directory)/out/latest/acme-board7")
    #expect(latest.contains(request))

    // The same request again is a new one that builds nothing.
    let second = try JSON(farm.start(["build", "--local", "--json"] + arguments).wait().output)
    #expect(second["request"].text != request)
    let reused = second.deviceType("acme-board7")
    #expect(reused["outcome"].text == "reused")
    #expect(reused["attempts"].number == 0)
    #expect(reused["blocks"][0]["digest"].text == report["blocks"][0]["digest"].text)
    #expect(reused["images"][0]["digest"].text == report["images"][0]["digest"].text)
    #expect(try FileManager.default.contentsOfDirectory(atPath: farm.directory + "/state/local/attempts").count <= 1)
    let logs = try farm.run("logs", "acme-board7")
    #expect(logs.status == 2)
    #expect(logs.errors.contains("acme-board7"))
  }

  /// Blocks have the same bytes wherever and whenever they are built.
  @Test func sameBlocksInDifferentDirectories() throws {
    let digests = try ["", "limits: {totalSeconds: 600}\n"].map { extra in
      let farm = try SampleFarm(["arm"], extra: extra)
      let ended = try farm.build("-m", "acme-board64", "--blocks", "acme-diagnostics:acme-wireless", "--json")
      try #require(ended.status == 0, "\(ended.errors)")
      let blocks = try farm.index().deviceType("acme-board64")["blocks"].items
      #expect(blocks.compactMap { $0["name"].text } == ["acme-diagnostics", "acme-wireless"])
      return blocks.flatMap { [$0["digest"].text, $0["dockerDigest"].text] }
    }
    #expect(digests[0].allSatisfy { $0?.hasPrefix("sha256:") == true })
    #expect(digests[0] == digests[1])
  }
}
