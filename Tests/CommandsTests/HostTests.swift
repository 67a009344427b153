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
        #expect(built.errors.contains("host arm-0 does not answer"))
        #expect(built.errors.contains("arm-0 at 127.0.0.1:\(down.port)") || built.errors.contains("Connection refused"))
        #expect(try farm.index().deviceType("acme-board7")["host"].text == "arm-1")

        // Without the other nothing is left.
        let alone = try farm.run("build", "-m", "acme-board7", "-m", "acme-edge64", "--blocks", "acme-wireless", "--host", "arm-0", "--host", "arm-1")
        #expect(alone.status == 0, "\(alone)")
        // A host that is down may come back: what needs it waits, says so once, and goes on then.
        host.sshd.stop()
        let waiting = try farm.start(["build", "-m", "acme-module"])
        try waiting.waitFor("acme-module: waits: arm-1 does not answer")
        try host.sshd.start()
        let ended = waiting.wait()
        #expect(ended.status == 0, "\(ended)")
        #expect(ended.errors.components(separatedBy: "acme-module: waits: ").count == 2, "\(ended.errors)")
        #expect(ended.errors.contains("host arm-1 answers again"))
        host.sshd.stop()
        let unchecked = try farm.run("worker", "check", "--json")
        #expect(unchecked.status == 3)
        #expect(try JSON(unchecked.output)["hosts"].items.allSatisfy { $0["problem"].text?.contains($0["name"].text ?? "?") == true })
      }
    }
  }

  /// What was put in the installed worker's place is found by the host's own sha256sum, and not run: it could say anything about itself.
  @Test func aReplacedWorkerIsNotRun() throws {
    let farm = try SampleFarm()
    try withPrivateHost("arm-1", of: farm) { host in
      try #require(host.add("--architectures", "armv7hf").status == 0)
      let digest = try #require(FileManager.default.contentsOfDirectory(atPath: host.root + "/bin").first)
      let (installed, kept, mark) = ("\(host.root)/bin/\(digest)/blockfarm-worker", host.directory + "/kept", host.directory + "/was-run")
      try FileManager.default.moveItem(atPath: installed, toPath: kept)
      try Data("#!/bin/sh\necho >> \(mark)\nexec \(kept) \"$@\"\n".utf8).write(to: URL(filePath: installed))
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: installed)
      try OrdinaryUser.own(host.root)
      let checked = try farm.run("worker", "check")
      #expect(checked.status == 3)
      #expect(checked.errors.contains("the worker on host arm-1 is not the one that was installed"), "\(checked.errors)")
      let built = try farm.run("build", "-m", "acme-board7")
      #expect(built.status == 3, "\(built)")
      #expect(built.errors.contains("recorded is sha256:\(digest)"), "\(built.errors)")
      #expect(!FileManager.default.fileExists(atPath: mark))

      // Added again, the host has the right one.
      try #require(farm.run("worker", "remove", "arm-1").status == 0)
      try #require(host.add("--architectures", "armv7hf").status == 0)
      #expect(FileManager.default.contentsEqual(atPath: installed, andPath: kept))
      #expect(try farm.run("worker", "check").status == 0)
      #expect(!FileManager.default.fileExists(atPath: mark))
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

  /// A host file that cannot be read leaves its host out. Everything is built all the same; why the status is 1 is said with the result.
  @Test func aBrokenHostFileIsWhyTheStatusIsNotGood() throws {
    let farm = try SampleFarm()
    try withPrivateHost("arm-1", of: farm) { host in
      try #require(host.add("--architectures", "armv7hf").status == 0)
      try farm.write("name: arm-0\nhost: [\n", to: "workers.d/arm-0.yaml")
      let build = ["build", "-m", "acme-board7", "--blocks", "acme-wireless", "--only", "blocks"]
      let why =
        "Every device type that could be planned is done, and the exit status is 1 all the same: "
        + "1 host file could not be read, so its host was left out."
      let built = try farm.start(build).wait()
      #expect(built.status == 1, "\(built)")
      #expect(built.output.contains("\n\n\(why)\n  \(farm.directory)/workers.d/arm-0.yaml"), "\(built.output)")
      let json = try farm.start(build + ["--json"]).wait()
      #expect(json.status == 1 && json.errors.contains(why) && !json.output.contains(why), "\(json)")
      // Chosen hosts need no other file.
      let chosen = try farm.start(build + ["--host", "arm-1"]).wait()
      #expect(chosen.status == 0 && !chosen.output.contains(why), "\(chosen)")
    }
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
      // As if it had been installed by another blockfarm.
      let digest = try #require(FileManager.default.contentsOfDirectory(atPath: host.root + "/bin").first)
      let other = host.directory + "/other"
      try Data("#!/bin/sh\necho 'BLOCKFARM-WORKER 99'\necho '{}'\n".utf8).write(to: URL(filePath: other))
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: other)
      let found = try String(Tool.run("sha256sum", other).prefix(64))
      try FileManager.default.moveItem(atPath: "\(host.root)/bin/\(digest)", toPath: "\(host.root)/bin/\(found)")
      try FileManager.default.removeItem(atPath: "\(host.root)/bin/\(found)/blockfarm-worker")
      try FileManager.default.moveItem(atPath: other, toPath: "\(host.root)/bin/\(found)/blockfarm-worker")
      let file = hostFile(host, farm)
      let text = try String(contentsOfFile: file, encoding: .utf8)
      try Data(text.replacing(digest, with: found).utf8).write(to: URL(filePath: file))
      let built = try farm.run("build", "-m", "acme-board64")
      #expect(built.status == 3, "\(built)")
      #expect(built.errors.contains("the worker on host arm-1 speaks protocol 99"), "\(built.errors)")
    }
  }

  /// A device type of an architecture that no host serves fails at once, the others are built; with --wait it waits for a host that serves it.
  @Test func nobodyServesTheArchitecture() throws {
    let farm = try SampleFarm(["arm", "legacy"])
    try withPrivateHost("arm-1", of: farm) { arm in
      try #require(arm.add("--architectures", "aarch64,armv7hf").status == 0)
      let failed = try farm.run("build", "-m", "acme-classic", "-m", "acme-board7")
      #expect(failed.status == 3, "\(failed)")
      let reason = try #require(farm.index().deviceType("acme-classic")["reason"].text)
      #expect(
        reason
          == "no host serves i386 (the hosts serve aarch64, armv7hf): add one with 'blockfarm worker add --architectures i386 user@host', "
          + "or wait for one with --wait")
      #expect(failed.output.contains("acme-classic failed (request): " + reason))
      #expect(try farm.index().deviceType("acme-classic")["blame"].text == "request")
      #expect(try farm.index().deviceType("acme-board7")["outcome"].text == "built")

      let build = try farm.start(["build", "-m", "acme-classic", "--wait"])
      try build.waitFor("acme-classic: waits: arm-1 does not serve i386")
      let explained = try farm.run("explain", "acme-classic")
      #expect(explained.output.contains("host arm-1 does not serve i386"), "\(explained)")
      try withPrivateHost("old-1", of: farm) { old in
        try #require(old.add("--architectures", "i386").status == 0)
        let ended = build.wait()
        #expect(ended.status == 0, "\(ended)")
        #expect(try farm.index().deviceType("acme-classic")["host"].text == "old-1")
      }
    }
  }

  @Test func noHostAtAll() throws {
    let farm = try SampleFarm()
    let failed = try farm.run("build", "-m", "acme-board7")
    #expect(failed.status == 3, "\(failed)")
    #expect(failed.output.contains("acme-board7 failed (request): no host is configured: add one with 'blockfarm worker add user@host'"))
    let waiting = try farm.start(["build", "-m", "acme-board7", "--wait"])
    try waiting.waitFor("acme-board7: waits: no host is configured")
    waiting.signal(SIGINT)
    #expect(waiting.wait().status == 130)
    for options in [["--local"], ["--host", "x"]] {
      let refused = try farm.start(["build", "-m", "acme-board7", "--wait"] + options).wait()
      #expect(refused.status == 2 && refused.errors.contains("give one of them"), "\(refused)")
    }
  }

  /// What is noted about a host is shown, waited for, and can be taken back, of this machine, too.
  @Test func drainedHostsAreTakenBack() throws {
    let farm = try SampleFarm()
    #expect(try farm.run("worker", "drain", "local", "--reason", "new disk").status == 0)
    let listed = try farm.run("worker", "list")
    #expect(listed.errors.contains("note: this machine ('local', for build --local) is drained: new disk"), "\(listed)")
    let local = try farm.start(["build", "--local", "-m", "acme-board7", "--only", "blocks", "--blocks", "acme-wireless"])
    try local.waitFor("acme-board7: waits: local is drained: new disk; 'blockfarm worker resume local' takes it back")
    #expect(try farm.run("worker", "resume", "local").output == "host local is back\n")
    #expect(local.wait().status == 0)
    #expect(try JSON(farm.run("worker", "list", "--json").output)["local"]["failures"].number == nil)

    try withPrivateHost("arm-1", of: farm) { host in
      try #require(host.add("--architectures", "armv7hf").status == 0)
      #expect(try farm.run("worker", "drain", "arm-1", "--reason", "new disk").status == 0)
      #expect(try farm.run("worker", "list").output.contains("drained: new disk"))
      #expect(try JSON(farm.run("worker", "list", "--json").output)["hosts"][0]["drained"].text == "new disk")
      let build = try farm.start(["build", "-m", "acme-board7", "--only", "blocks", "--blocks", "acme-diagnostics"])
      try build.waitFor("acme-board7: waits: arm-1 is drained: new disk; 'blockfarm worker resume arm-1' takes it back")
      #expect(try farm.run("worker", "resume", "arm-1").status == 0)
      let ended = build.wait()
      #expect(ended.status == 0, "\(ended)")
      #expect(try farm.index().deviceType("acme-board7")["host"].text == "arm-1")
    }
  }

  /// What could not be fetched is tried on another host. The first one is at fault only where the other one could.
  @Test func fetchFailures() throws {
    let farm = try SampleFarm(faults: ["no-fetch=/arm-0/"])
    try withPrivateHost("arm-0", of: farm) { first in
      try withPrivateHost("arm-1", of: farm) { second in
        for host in [first, second] { try #require(host.add("--architectures", "armv7hf").status == 0) }
        let arguments = ["build", "-m", "acme-board7", "--only", "blocks", "--blocks", "acme-wireless"]
        // Alone it shows nothing: the device type fails once.
        let alone = try farm.start(arguments + ["--host", "arm-0"]).wait()
        #expect(alone.status == 1, "\(alone)")
        #expect(alone.output.contains("acme-board7 failed (repository): "), "\(alone.output)")
        #expect(try farm.index().deviceType("acme-board7")["attempts"].number == 1)
        #expect(try JSON(farm.run("worker", "list", "--json").output)["hosts"][0]["failures"].number == 0)
        let both = try farm.start(arguments).wait()
        #expect(both.status == 0, "\(both)")
        let report = try farm.index().deviceType("acme-board7")
        #expect(report["host"].text == "arm-1")
        #expect(report["attempts"].number == 2)
        #expect(report["notices"].items.contains { $0.text?.hasPrefix("host arm-0 could not fetch what host arm-1 could: ") == true })
        let hosts = try JSON(farm.run("worker", "list", "--json").output)["hosts"]
        #expect(hosts[0]["failures"].number == 1 && hosts[1]["failures"].number == 0)
        #expect(hosts[0]["lastFailure"].text?.contains("downloads.example.org") == true)
      }
    }
  }

  @Test func fetchFailsEverywhere() throws {
    let farm = try SampleFarm(faults: ["no-fetch=/"])
    try withPrivateHost("arm-0", of: farm) { first in
      try withPrivateHost("arm-1", of: farm) { second in
        for host in [first, second] { try #require(host.add("--architectures", "armv7hf").status == 0) }
        let failed = try farm.run("build", "-m", "acme-board7", "--only", "blocks", "--blocks", "acme-wireless")
        #expect(failed.status == 1, "\(failed)")
        let report = try farm.index().deviceType("acme-board7")
        #expect(report["attempts"].number == 2)
        #expect(report["failure"].text == "fetch" && report["blame"].text == "repository")
        #expect(report["reason"].text?.hasSuffix(" (tried on arm-0 and arm-1)") == true)
        let hosts = try JSON(farm.run("worker", "list", "--json").output)["hosts"].items
        #expect(hosts.allSatisfy { $0["failures"].number == 0 })
      }
    }
  }

  /// A host whose sshd allows few commands at once serves its slots over more connections, and `worker` says so.
  @Test func maxSessions() throws {
    let farm = try SampleFarm()
    try withPrivateHost("arm-1", of: farm, options: ["MaxSessions 1"]) { host in
      let refused = try host.add("--slots", "7")
      #expect(refused.status == 2, "\(refused)")
      #expect(
        refused.errors.contains(
          "arm-1 is not added: its sshd allows 1 command at once on a connection (MaxSessions), and 7 slots need 9 at once, "
            + "more than 8 connections allow: raise MaxSessions in the host's sshd_config, or give the host fewer slots"))
      let added = try host.add("--slots", "2", "--architectures", "aarch64,armv7hf")
      #expect(added.status == 0, "\(added)")
      let note =
        "its sshd allows 1 command at once on a connection (MaxSessions), and 2 slots need 4 at once: more connections make up for it, "
        + "of which blockfarm opens 8 at most"
      #expect(added.errors.contains("note: " + note))
      let checked = try farm.run("worker", "check")
      #expect(checked.status == 0 && checked.errors.contains("note: host arm-1: " + note), "\(checked)")
      #expect(try JSON(farm.run("worker", "check", "--json").output)["hosts"][0]["sessions"]["perConnection"].number == 1)
      let built = try farm.run(
        "build", "-m", "acme-board7", "-m", "acme-board64", "-m", "acme-edge64", "--only", "blocks", "--blocks", "acme-wireless:acme-diagnostics")
      #expect(built.status == 0, "\(built)")
      #expect(!built.errors.contains("does not answer") && !built.errors.contains("lost"), "\(built.errors)")
    }
  }
}
