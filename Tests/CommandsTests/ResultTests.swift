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
        "arch", "artifacts", "attempts", "blame", "blocks", "commit", "details", "endedAt", "failure", "host", "images", "isRelease",
        "isolation", "log", "machine", "notices", "outcome", "reason", "releases", "slug", "startedAt", "steps", "submodules", "taskLogs", "version",
      ])
    let head = try farm.git("rev-parse", "HEAD").trimmingCharacters(in: .whitespacesAndNewlines)
    #expect(report["commit"].text == head)
    let scripts = try farm.git("rev-parse", "HEAD:balena-yocto-scripts").trimmingCharacters(in: .whitespacesAndNewlines)
    #expect(report["submodules"].items.contains { $0["path"].text == "balena-yocto-scripts" && $0["commit"].text == scripts })
    let (begin, end) = (try #require(report["startedAt"].text), try #require(report["endedAt"].text))
    #expect(begin < end)
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
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: "\(farm.directory)/out/latest-build/acme-board7") == latest)

    // The same request again is a new one that builds nothing.
    let second = try JSON(farm.start(["build", "--local", "--json"] + arguments).wait().output)
    #expect(second["request"].text != request)
    let reused = second.deviceType("acme-board7")
    #expect(reused["outcome"].text == "reused")
    #expect(reused["attempts"].number == 0)
    #expect(reused["blocks"][0]["digest"].text == report["blocks"][0]["digest"].text)
    #expect(reused["images"][0]["digest"].text == report["images"][0]["digest"].text)
    #expect(try FileManager.default.contentsOfDirectory(atPath: farm.directory + "/state/local/attempts").count <= 1)
    // It has no attempt: the log is that of the request before.
    let console = try String(contentsOfFile: tree + "/acme-board7/logs/attempt-1.log", encoding: .utf8)
    #expect(try farm.run("logs", "acme-board7").output == console)
    let logs = try farm.run("logs", "acme-board7", "--request", try #require(second["request"].text))
    #expect(logs.status == 2)
    #expect(logs.errors.contains("acme-board7"))
    let misspelt = try farm.run("logs", "acme-bord7")
    #expect(misspelt.status == 2)
    #expect(misspelt.errors.contains("no request has an attempt of 'acme-bord7'; there are attempts of: acme-board7"), "\(misspelt)")
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

  /// `logs` and `explain` know a device type by all of its names.
  @Test func namesOfDeviceTypes() throws {
    let farm = try SampleFarm()
    try farm.edit("acme-board7.coffee", "slug: 'acme-board7'", "slug: 'acme-other'\n\taliases: ['acme-old-name']")
    try farm.edit("acme-board7.coffee", "machine: 'acme-board7'", "machine: 'acme-board7'")
    try farm.commit()
    let built = try farm.build("-m", "acme-other", "--only", "blocks", "--blocks", "acme-wireless")
    #expect(built.status == 0, "\(built)")
    let log = try farm.run("logs", "acme-other").output
    #expect(!log.isEmpty)
    for name in ["acme-board7", "acme-old-name"] {
      #expect(try farm.run("logs", name).output == log)
      #expect(try farm.run("explain", name).output.hasPrefix("acme-other: built"))
    }
  }

  /// A build that is no release, or has no image, is the last build and not the latest version.
  @Test func latestIsARelease() throws {
    let farm = try SampleFarm()
    func target(_ name: String) -> String? {
      try? FileManager.default.destinationOfSymbolicLink(atPath: "\(farm.directory)/out/\(name)/acme-board7")
    }
    try #require(try farm.build("-m", "acme-board7", "--only", "blocks", "--blocks", "acme-wireless").status == 0)
    #expect(target("latest") == nil && target("latest-build") != nil)
    try #require(try farm.build("-m", "acme-board7").status == 0)
    let release = try #require(target("latest"))
    try farm.git("commit", "--quiet", "--allow-empty", "--message", "No release")
    try #require(try farm.build("-m", "acme-board7").status == 0)
    #expect(target("latest") == release)
    #expect(target("latest-build") != release)
    #expect(try farm.index().deviceType("acme-board7")["isRelease"].number == 0)
  }

  /// Commits of uncommitted changes take disk for as long as a request may need them.
  @Test func changesGoWithTheirRequest() throws {
    let farm = try SampleFarm()
    try farm.edit("VERSION", "6", "7")
    let build = ["build", "--local", "-m", "acme-board7", "--allow-dirty", "--only", "blocks", "--blocks", "acme-wireless"]
    let ended = try farm.start(build).wait()
    #expect(ended.status == 0, "\(ended)")
    #expect(try farm.index().deviceType("acme-board7")["isRelease"].number == 0)
    #expect(try FileManager.default.contentsOfDirectory(atPath: farm.directory + "/state/changes").isEmpty)
    // Nothing is lost by it: the same changes are the same commit, and nothing is built again.
    let again = try farm.start(build).wait()
    #expect(try again.status == 0 && farm.index().deviceType("acme-board7")["outcome"].text == "reused", "\(again)")
  }

  /// bitbake refuses root: that is said before anything is started. What is at hand root may have.
  @Test(.enabled(if: getuid() == 0, "the tests are not run by root")) func localAsRoot() throws {
    let farm = try SampleFarm()
    var environment = SampleFarm.environment(home: farm.directory)
    // Root reads another account's checkouts.
    environment.merge(["GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"]) { $1 }
    func build() throws -> Child.Ended {
      try Child(
        [try SampleFarm.program("blockfarm"), "build", "--local", "-m", "acme-board7"], environment: environment, directory: farm.directory
      ).wait()
    }
    let refused = try build()
    #expect(refused.status == 2, "\(refused)")
    #expect(
      refused.errors
        == "blockfarm: you are root, and bitbake refuses to run as root: run 'blockfarm build --local' as an ordinary user, or build on a host. "
        + "To be built: acme-board7\n")
    // Nothing of root's is in the way of the account that builds next.
    for name in ["out", "state"] { #expect(!FileManager.default.fileExists(atPath: "\(farm.directory)/\(name)"), "\(name)") }
    for question in [["status"], ["worker", "list"], ["explain", "acme-board7"]] {
      _ = try Child([try SampleFarm.program("blockfarm")] + question, environment: environment, directory: farm.directory).wait()
      #expect(!FileManager.default.fileExists(atPath: farm.directory + "/state"), "\(question)")
    }
    try #require(try farm.build("-m", "acme-board7", "--only", "blocks", "--blocks", "acme-wireless").status == 0)
  }

  /// A state directory that cannot be used is named, with its owner and what to do; nobody reads SQLite's own words.
  @Test(.enabled(if: getuid() == 0, "only root can give files to another account"), arguments: ["", "/state.sqlite", "/blobs/sha256"])
  func aStateOfAnotherAccountIsNamed(_ part: String) throws {
    let farm = try SampleFarm()
    try #require(try farm.build("-m", "acme-board7", "--only", "blocks", "--blocks", "acme-wireless").status == 0)
    let path = farm.directory + "/state" + part
    try Tool.run("chown", "root:root", path)
    for command in [["status"], ["build", "--local", "-m", "acme-board7"], ["plan", "-m", "acme-board7", "--allow-dirty"]] {
      let ended = try farm.start(command).wait()
      #expect(ended.status == 3, "\(ended)")
      #expect(
        ended.errors
          == "blockfarm: \(path) belongs to root, and you (nobody) may not write it; repair it with 'sudo chown -R nobody \(farm.directory)/state', "
          + "run blockfarm as root, or name another directory as 'state' in farm.yaml\n", "\(command)")
    }
  }

  @Test func aStateThatCannotBeMadeIsNamed() throws {
    let farm = try SampleFarm()
    try FileManager.default.createDirectory(atPath: farm.directory + "/closed", withIntermediateDirectories: true)
    try farm.write("state: closed/state\noutput: out\nrepositories: []\n", to: "closed.yaml")
    try Tool.run("chmod", "555", farm.directory + "/closed")
    let ended = try farm.run("status", "--config", "closed.yaml")
    #expect(ended.status == 3, "\(ended)")
    #expect(
      ended.errors == "blockfarm: the state directory \(farm.directory)/closed/state cannot be made: \(farm.directory)/closed is yours "
        + "(\(OrdinaryUser.name)), but its permissions do not let you write it; name a directory of your own as 'state' in farm.yaml\n")
  }

  @Test func aDatabaseThatIsNoneIsNamed() throws {
    let farm = try SampleFarm()
    try farm.write(String(repeating: "no database\n", count: 200), to: "state/state.sqlite")
    let ended = try farm.run("status")
    #expect(ended.status == 3, "\(ended)")
    #expect(
      ended.errors
        == "blockfarm: \(farm.directory)/state/state.sqlite cannot be opened: the file is no database; if it is not one of blockfarm's, "
        + "move it away, and a new one is made\n")
  }
}
