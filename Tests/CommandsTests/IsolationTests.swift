import Foundation
import TestPeers
import Testing

/// What becomes of builds where no sandbox can be started, and what a build on this machine sees of blockfarm.
@Suite(.serialized) struct IsolationTests {
  /// A PATH with all of this machine's programs but bubblewrap.
  private func pathWithoutBubblewrap(_ farm: SampleFarm) throws -> String {
    let bin = farm.directory + "/few"
    try FileManager.default.createDirectory(atPath: bin, withIntermediateDirectories: true)
    for name in try FileManager.default.contentsOfDirectory(atPath: "/usr/bin") where name != "bwrap" {
      try FileManager.default.createSymbolicLink(atPath: "\(bin)/\(name)", withDestinationPath: "/usr/bin/\(name)")
    }
    return bin
  }

  @Test func withoutBubblewrapNothingIsBuiltUnlessAllowed() throws {
    let farm = try SampleFarm()
    let path = ["PATH": try pathWithoutBubblewrap(farm)]
    let refused = try farm.start(["build", "--local", "-m", "acme-board7"], variables: path).wait()
    #expect(refused.status == 3, "\(refused)")
    #expect(refused.output.contains("local runs no build without a sandbox: bwrap is not installed; install the package bubblewrap"), "\(refused)")
    let allowed = try farm.start(["build", "--local", "--isolation", "none", "-m", "acme-board7"], variables: path).wait()
    #expect(allowed.status == 0, "\(allowed)")
    #expect(try farm.index().deviceType("acme-board7")["isolation"].text == "none")
  }

  @Test func resultsSayTheirIsolation() throws {
    let farm = try SampleFarm()
    for outcome in ["built", "reused"] {
      let built = try farm.build("-m", "acme-board7")
      #expect(built.status == 0, "\(built)")
      let report = try farm.index().deviceType("acme-board7")
      #expect(report["outcome"].text == outcome)
      #expect(["bubblewrap", "docker"].contains(report["isolation"].text ?? ""))
    }
  }

  /// The build of a repository looks for the coordinator's state, and would take what it finds into its console.
  @Test(arguments: [("none", true), ("bubblewrap", false)]) func theStateIsNotThere(_ isolation: String, _ isSeen: Bool) throws {
    let farm = try SampleFarm()
    let barys = "\(farm.directory)/checkouts/balena-acme-arm/balena-yocto-scripts/build/barys"
    try #require(FileManager.default.fileExists(atPath: barys))
    let program = farm.directory + "/build"
    let script = "#!/bin/sh\nls \(farm.directory)/state/*.sqlite* && echo 'state seen'\nexec balena-yocto-scripts/build/barys \"$@\"\n"
    try farm.write(script, to: "build")
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: program)
    let driver =
      "driver: {command: [\(program), -m, '{machine}', --bitbake-target, '{targets}', -a, 'DEVICE_TYPE={manifest}', '{arguments}', "
      + "--shared-downloads, '{downloads}', --shared-sstate, '{sstate}', --rm-work], packageArchitectures: [all]}"
    let file = farm.directory + "/farm.yaml"
    let text = try String(contentsOfFile: file, encoding: .utf8)
    try farm.write(text.replacing("source: checkouts/balena-acme-arm", with: "source: checkouts/balena-acme-arm, \(driver)"), to: "farm.yaml")
    let built = try farm.build("--isolation", isolation, "-m", "acme-board7")
    let log = try farm.run("logs", "acme-board7").output
    #expect(log.contains("state seen") == isSeen, "\(built) \(log)")
    #expect(log.contains("--bitbake-target"), "\(log)")
  }

  @Test func onlyThisMachineTakesTheOption() throws {
    let farm = try SampleFarm()
    let host = try farm.run("build", "--isolation", "none", "-m", "acme-board7")
    #expect(host.status == 2 && host.errors.contains("--isolation belongs to --local"), "\(host)")
    let wrong = try farm.build("--isolation", "docker", "-m", "acme-board7")
    #expect(wrong.status == 2 && wrong.errors.contains("unknown value 'docker' of --isolation; known: bubblewrap (the default), none"), "\(wrong)")
  }
}
