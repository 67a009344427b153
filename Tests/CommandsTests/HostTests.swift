import Foundation
import TestGolden
import TestPeers
import Testing

/// Hosts over real SSH: added with a pinned key, left out with a reason.
@Suite(.serialized) struct HostTests {
  private func hostFile(_ host: PrivateHost, _ farm: SampleFarm) -> String { "\(farm.directory)/workers.d/\(host.name).yaml" }

  @Test func addListCheckBuild() throws {
    let farm = try SampleFarm()
    try withPrivateHost("arm-1", of: farm) { host in
      let added = try host.add("--architectures", "aarch64,armv7hf", "--slots", "2")
      try #require(added.status == 0, "\(added)")
      #expect(added.output.contains("serves aarch64, armv7hf with 2 slots"))
      #expect(FileManager.default.fileExists(atPath: hostFile(host, farm)))
      let listed = try JSON(farm.run("worker", "list", "--json").output)
      #expect(listed["version"].number == 1)
      #expect(listed["hosts"][0]["name"].text == "arm-1")
      #expect(listed["hosts"][0]["hostKey"].text == (try host.fingerprint()))
      #expect(listed["hosts"][0]["architectures"].items.compactMap(\.text) == ["aarch64", "armv7hf"])
      let checked = try JSON(farm.run("worker", "check", "--json").output)
      #expect(checked["hosts"][0]["problem"].text == nil)
      #expect(checked["hosts"][0]["probe"]["features"].items.contains { $0.text == "build-user" })
      let again = try host.add()
      #expect(again.status == 2)
      #expect(again.errors.contains("host 'arm-1' is already configured"))

      // A second host that is down is left out; the work goes to the other.
      try withPrivateHost("arm-0", of: farm) { down in
        try #require(down.add("--architectures", "armv7hf").status == 0)
        down.sshd.stop()
        let built = try farm.run("build", "-m", "acme-board7", "--blocks", "acme-diagnostics")
        #expect(built.status == 0, "\(built)")
        #expect(built.errors.contains("host arm-0 is left out"))
        #expect(built.errors.contains("arm-0 at 127.0.0.1:\(down.port)") || built.errors.contains("Connection refused"))
        #expect(try farm.index().deviceType("acme-board7")["host"].text == "arm-1")

        // Without the other nothing is left.
        let alone = try farm.run("build", "-m", "acme-board7", "-m", "acme-edge64", "--blocks", "acme-wireless", "--host", "arm-0", "--host", "arm-1")
        #expect(alone.status == 0, "\(alone)")
        host.sshd.stop()
        let none = try farm.run("build", "-m", "acme-module")
        #expect(none.status == 3, "\(none)")
        #expect(none.output.contains("no host is left for aarch64"))
        #expect(none.errors.contains("host arm-1 is left out"))
        let report = try farm.index().deviceType("acme-module")
        #expect(report["outcome"].text == "failed")
        #expect(report["details"].items.contains { $0.text?.hasPrefix("arm-1: ") == true })
        let unchecked = try farm.run("worker", "check", "--json")
        #expect(unchecked.status == 3)
        #expect(try JSON(unchecked.output)["hosts"].items.allSatisfy { $0["problem"].text?.contains($0["name"].text ?? "?") == true })
      }
    }
  }

  /// With chosen hosts, or this machine alone, a task that waits does not get to others.
  @Test func waitingTasksStayWithChosenHosts() throws {
    let farm = try SampleFarm(faults: ["slow=1.5"])
    try farm.write(
      """
      {name: elsewhere, host: 127.0.0.1, port: 1, user: nobody, hostKey: "SHA256:\(String(repeating: "A", count: 43))", architectures: [armv7hf, aarch64],
      worker: "sha256:\(String(repeating: "0", count: 64))"}
      """, to: "workers.d/elsewhere.yaml")
    // One slot: the second device type waits until the first one is built.
    let ended = try farm.build("-m", "acme-board7", "-m", "acme-board64", "--blocks", "acme-wireless", "--only", "blocks")
    #expect(ended.status == 0, "\(ended.errors)")
    #expect(!ended.errors.contains("elsewhere"), "\(ended.errors)")
  }

  @Test func wrongFingerprint() throws {
    let farm = try SampleFarm()
    try withPrivateHost("arm-1", of: farm) { host in
      let wrong = "SHA256:" + String(repeating: "A", count: 43)
      let added = try farm.run("worker", "add", host.address, "--fingerprint", wrong, "--identity", farm.directory + "/id_ed25519")
      #expect(added.status == 3, "\(added)")
      let shown = try host.fingerprint()
      #expect(added.errors.contains(wrong) && added.errors.contains(shown), "\(added.errors)")
      #expect(!FileManager.default.fileExists(atPath: farm.directory + "/workers.d"))
      for text in ["MD5:aa", "SHA256:short"] {
        let refused = try farm.run("worker", "add", host.address, "--fingerprint", text)
        #expect(refused.status == 2)
        #expect(refused.errors.contains("'\(text)' is not a host key fingerprint"))
      }
    }
  }

  @Test func nobodyToConfirm() throws {
    let farm = try SampleFarm()
    try withPrivateHost("arm-1", of: farm) { host in
      let added = try farm.run("worker", "add", host.address, "--identity", farm.directory + "/id_ed25519")
      #expect(added.status == 2)
      try Golden.check(
        "worker-add-unconfirmed", added.errors, farm: farm, replacing: [try host.fingerprint(): "<fingerprint>", "\(host.port)": "<port>"])
      #expect(!FileManager.default.fileExists(atPath: farm.directory + "/workers.d"))
    }
  }

  @Test func rsaIdentity() throws {
    let farm = try SampleFarm()
    try withPrivateHost("arm-1", of: farm) { host in
      try SSHKey.make(farm.directory + "/id_rsa", type: "rsa")
      try farm.write("", to: "empty")
      let added = try farm.run(
        "worker", "add", host.address, "--fingerprint", try host.fingerprint(), "--identity", farm.directory + "/id_rsa")
      #expect(added.status == 2, "\(added)")
      #expect(added.errors.contains("RSA") && added.errors.contains("ed25519"), "\(added.errors)")
      #expect(!FileManager.default.fileExists(atPath: farm.directory + "/workers.d"))
    }
  }

  @Test(arguments: ["nobody", "@127.0.0.1", "nobody@", "nobody@127.0.0.1:0", "nobody@127.0.0.1:x", "-oProxyCommand=x@127.0.0.1", "a@b c"])
  func malformedAddress(_ address: String) throws {
    let farm = try SampleFarm()
    let added = try farm.run("worker", "add", "--fingerprint", "SHA256:" + String(repeating: "A", count: 43), "--", address)
    #expect(added.status == 2, "\(added)")
    #expect(!FileManager.default.fileExists(atPath: farm.directory + "/workers.d"))
  }

  @Test func otherHostKey() throws {
    let farm = try SampleFarm()
    try withPrivateHost("arm-1", of: farm) { host in
      try #require(host.add("--architectures", "aarch64").status == 0)
      let pinned = try host.fingerprint()
      host.sshd.stop()
      try host.sshd.makeKey("host_ed25519")
      try host.sshd.start()
      let built = try farm.run("build", "-m", "acme-board64")
      #expect(built.status == 3, "\(built)")
      let reason = try #require(built.errors.split(separator: "\n").first { $0.hasPrefix("host arm-1 is left out") })
      let shown = try host.fingerprint()
      #expect(reason.contains(pinned) && reason.contains(shown), "\(reason)")
      #expect(try farm.index().deviceType("acme-board64")["attempts"].number == 0)
    }
  }

  @Test func otherProtocolVersion() throws {
    let farm = try SampleFarm()
    try withPrivateHost("arm-1", of: farm) { host in
      try #require(host.add("--architectures", "aarch64").status == 0)
      let installed = try FileManager.default.contentsOfDirectory(atPath: host.root + "/bin").map { "\(host.root)/bin/\($0)/blockfarm-worker" }
      let worker = try #require(installed.first)
      try FileManager.default.removeItem(atPath: worker)
      try Data("#!/bin/sh\necho 'BLOCKFARM-WORKER 99'\necho '{}'\n".utf8).write(to: URL(filePath: worker))
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: worker)
      let built = try farm.run("build", "-m", "acme-board64")
      #expect(built.status == 3, "\(built)")
      #expect(built.errors.contains("the worker on host arm-1 speaks protocol 99"), "\(built.errors)")
    }
  }

  /// A task waits for an architecture that no host serves; `explain` names both hosts, and an interrupt ends the waiting.
  @Test func nobodyServesTheArchitecture() throws {
    let farm = try SampleFarm(["legacy"])
    try withPrivateHost("arm-1", of: farm) { arm in
      try withPrivateHost("pc-1", of: farm) { pc in
        try #require(arm.add("--architectures", "aarch64").status == 0)
        try #require(pc.add("--architectures", "amd64").status == 0)
        let build = try farm.start(["build", "-m", "acme-classic"])
        try build.waitFor("acme-classic: waits: ")
        let explained = try farm.run("explain", "acme-classic")
        #expect(explained.output.contains("host arm-1 ") && explained.output.contains("host pc-1 "), "\(explained)")
        #expect(explained.output.contains("i386"))
        let json = try JSON(farm.run("explain", "acme-classic", "--json").output)
        #expect(json["waiting"].items.compactMap { $0["host"].text } == ["arm-1", "pc-1"])
        build.signal(SIGINT)
        #expect(build.wait().status == 130)
      }
    }
  }
}
