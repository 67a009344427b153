import Foundation
import TestFiles
import TestPeers
import Testing

@testable import Executors

@Suite struct SSHLoginTests {
  @Test func logsInWithAKeyFile() async throws {
    try await withPrivateSSHD { host in
      let answer = try await host.connection().shell("echo hello")
      #expect(answer.text == "hello\n")
      #expect(answer.exit == ProcessExit(status: 0, signal: nil, standardError: ""))
    }
  }

  @Test(arguments: [("ecdsa", "ssh"), ("ed25519", "PKCS8"), ("ecdsa", "PKCS8"), ("ecdsa", "PEM")])
  func logsInWithOtherKeyForms(type: String, form: String) async throws {
    try await withPrivateSSHD { host in
      try host.makeKey("other", type: type)
      let key = host.directory + "/other"
      try host.authorize(key + ".pub")
      if form == "PKCS8", type == "ed25519" {
        // ssh-keygen writes ed25519 in its own form only.
        try Tool.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", key])
        try Tool.run(["chmod", "600", key])
        let der = host.directory + "/other.der"
        try Tool.run(["openssl", "pkey", "-in", key, "-pubout", "-outform", "DER", "-out", der])
        let raw = try Data(contentsOf: URL(fileURLWithPath: der)).suffix(32)
        let blob = SSHWireReader.string(Array("ssh-ed25519".utf8)) + SSHWireReader.string(raw)
        try write(Array("ssh-ed25519 \(Data(blob).base64EncodedString())\n".utf8), to: host.directory + "/authorized_keys")
      } else if form != "ssh" {
        try Tool.run(["ssh-keygen", "-q", "-p", "-N", "", "-m", form, "-f", key])
      }
      let destination = try host.destination(identity: .file(key))
      let answer = try await HostConnection(destination: destination, loop: try testLoop()).shell("echo hello")
      #expect(answer.text == "hello\n")
    }
  }

  @Test func scansTheKeyWithoutLoggingIn() async throws {
    try await withPrivateSSHD(.init(hostKeys: ["ecdsa", "ed25519"])) { host in
      let scanned = try await scanHostKey(host: "127.0.0.1", port: host.port, loop: try testLoop())
      #expect(scanned.fingerprint == (try host.fingerprint("ed25519")))
      #expect(scanned.type == "ssh-ed25519")
    }
  }

  @Test func acceptsAPinnedKeyOfTheLessPreferredType() async throws {
    try await withPrivateSSHD(.init(hostKeys: ["ecdsa", "ed25519"])) { host in
      let destination = try host.destination(hostKey: try host.fingerprint("ecdsa"))
      #expect(try await HostConnection(destination: destination, loop: try testLoop()).shell("echo hello").text == "hello\n")
    }
  }

  @Test(arguments: [["ed25519"], ["ed25519", "ecdsa"], ["ecdsa"]])
  func refusesAnotherHostKeyBeforeAuthentication(types: [String]) async throws {
    try await withPrivateSSHD(.init(hostKeys: types)) { host in
      let other = try #require(HostKeyFingerprint("SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU"))
      let connection = HostConnection(destination: try host.destination(hostKey: other), loop: try testLoop())
      let error = try #require(await failure { try await connection.shell("true") } as? ExecutorError)
      let shown = try host.fingerprint(types[0])
      guard case .hostKeyChanged("arm-1", other, shown, _) = error else {
        Issue.record("\(error)")
        return
      }
      #expect(!host.logLines.contains { $0.contains("authenticating") || $0.contains("publickey") })
      // Final: the second call says so without asking the host again.
      let lines = host.logLines.count
      #expect(await failure { try await connection.shell("true") } as? ExecutorError == error)
      #expect(host.logLines.count == lines)
    }
  }

  @Test func tellsAHostThatHasOnlyAnRSAKey() async throws {
    try await withPrivateSSHD(.init(hostKeys: ["rsa"])) { host async throws in
      let error = await failure { try await scanHostKey(host: "127.0.0.1", port: host.port, loop: try testLoop()) }
      #expect("\(try #require(error))".contains("Make an ed25519 host key there with 'ssh-keygen -A'"))
    }
  }

  @Test func tellsARefusedKey() async throws {
    try await withPrivateSSHD { host in
      try host.makeKey("stranger")
      let destination = try host.destination(identity: .file(host.directory + "/stranger"))
      let error = await failure { try await HostConnection(destination: destination, loop: try testLoop()).shell("true") }
      guard case .authenticationRefused("arm-1", host.user, let reason) = error as? ExecutorError else {
        Issue.record("\(String(describing: error))")
        return
      }
      #expect(reason.contains("/stranger"))
    }
  }

  @Test(arguments: [
    ("rsa", "", 0o600, "ed25519"), ("ed25519", "secret", 0o600, "ssh-add"), ("ed25519", "", 0o644, "chmod 600"),
  ])
  func tellsAKeyFileThatCannotBeUsed(type: String, phrase: String, mode: Int, hint: String) async throws {
    let scratch = try ScratchDirectory()
    try SSHKey.make(scratch.path + "/key", type: type, phrase: phrase)
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: scratch.path + "/key")
    let error = try #require(throws: PrivateKeyFile.Unusable.self) { try PrivateKeyFile(path: scratch.path + "/key") }
    #expect(error.reason.contains(hint))
    if type == "rsa" {
      try Tool.run(["ssh-keygen", "-q", "-p", "-N", "", "-m", "PEM", "-f", scratch.path + "/key"])
      #expect(throws: PrivateKeyFile.Unusable.self) { try PrivateKeyFile(path: scratch.path + "/key") }
      try Tool.run(["ssh-keygen", "-q", "-p", "-N", "", "-m", "PKCS8", "-f", scratch.path + "/key"])
      #expect(throws: PrivateKeyFile.Unusable.self) { try PrivateKeyFile(path: scratch.path + "/key") }
    }
    let publicHalf = try #require(throws: PrivateKeyFile.Unusable.self) {
      try Tool.run(["chmod", "600", scratch.path + "/key.pub"])
      return try PrivateKeyFile(path: scratch.path + "/key.pub")
    }
    #expect(publicHalf.reason.contains("without .pub"))
  }

  @Test func tellsAHostThatIsDown() async throws {
    try await withPrivateSSHD { host in
      var destination = try host.destination()
      destination.port = try freePort()
      let error = await failure { try await HostConnection(destination: destination, loop: try testLoop()).shell("true") }
      guard case .unreachable("arm-1", let reason) = error as? ExecutorError else {
        Issue.record("\(String(describing: error))")
        return
      }
      #expect(reason.contains("Connection refused"))
      destination.host = "no-such-host.invalid"
      let unknown = await failure { try await HostConnection(destination: destination, loop: try testLoop()).shell("true") }
      guard case .unreachable = unknown as? ExecutorError else {
        Issue.record("\(String(describing: unknown))")
        return
      }
    }
  }

  @Test func tellsAPeerThatIsNoSSHServer() async throws {
    // Listens and accepts (the kernel does), but never says a word.
    let descriptor = socket(AF_INET6, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    try #require(listen(descriptor, 4) == 0)
    var address = sockaddr_in6()
    var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
    withUnsafeMutablePointer(to: &address) {
      _ = $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
    }
    let port = UInt16(bigEndian: address.sin6_port)
    let error = await failure { try await scanHostKey(host: "::1", port: port, loop: try testLoop(), limit: .milliseconds(300)) }
    guard case .timedOut(_, "SSH handshake", _) = error as? ExecutorError else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test func connectsByNameAndOverIPv6() async throws {
    for (address, name) in [("::1", "::1"), ("127.0.0.1", "localhost")] {
      try await withPrivateSSHD(.init(address: address)) { host async throws in
        #expect(try await scanHostKey(host: name, port: host.port, loop: try testLoop()).fingerprint == host.fingerprint())
      }
    }
  }
}
