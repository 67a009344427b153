import TestFiles
import TestPeers
import Testing

@testable import Executors

@Suite(.serialized) struct SSHAlgorithmTests {
  private static let outdated = ["KexAlgorithms diffie-hellman-group14-sha1", "Ciphers aes256-cbc,3des-cbc", "MACs hmac-sha1,hmac-md5"]

  @Test func refusesAHostThatOffersOnlyOutdatedOnes() async throws {
    try await withPrivateSSHD(.init(options: Self.outdated)) { host in
      let error = try #require(await failure { try await host.connection().shell("true") } as? ExecutorError)
      #expect(error.needsConfiguration && error.blame == .host)
      #expect(
        "\(error)" == """
          host arm-1 offers only outdated SSH algorithms (key exchange: the host offers diffie-hellman-group14-sha1; accepted are \
          curve25519-sha256, curve25519-sha256@libssh.org, ecdh-sha2-nistp256, ecdh-sha2-nistp384, ecdh-sha2-nistp521; \
          cipher: the host offers aes256-cbc, 3des-cbc; accepted are aes128-ctr, aes192-ctr, aes256-ctr; \
          MAC: the host offers hmac-sha1, hmac-md5; accepted are hmac-sha2-256, hmac-sha2-512). Update its sshd, or take the restriction \
          out of its sshd_config. Until then, 'sshAlgorithms: [diffie-hellman-group14-sha1, aes256-cbc, hmac-sha1]' in the host's file \
          allows what it has
          """)
      #expect(!host.logLines.contains { $0.contains("publickey") })
    }
  }

  @Test(arguments: SSHAlgorithmTests.outdated) func refusesEachKindAlone(option: String) async throws {
    try await withPrivateSSHD(.init(options: [option])) { host in
      guard case .noCommonAlgorithms(_, let mismatches, _) = await failure(of: { try await host.connection().shell("true") }) as? ExecutorError else {
        Issue.record("not refused")
        return
      }
      #expect(mismatches.count == 1)
    }
  }

  @Test func usesThemWhereTheHostsFileSaysSoAndWarns() async throws {
    try await withPrivateSSHD(.init(options: Self.outdated)) { host in
      var destination = try host.destination()
      destination.algorithms = try #require(SSHAlgorithms(adding: ["hmac-sha1", "aes256-cbc", "diffie-hellman-group14-sha1"]))
      let connection = HostConnection(destination: destination, loop: try testLoop())
      #expect(try await connection.shell("echo hello").text == "hello\n")
      #expect(
        await connection.algorithmWarning == """
          its SSH connection uses outdated algorithms, which its file allows: diffie-hellman-group14-sha1, aes256-cbc, hmac-sha1. \
          Update its sshd
          """)
    }
  }

  @Test func warnsOfWhatTheHostDoesNotNeed() async throws {
    try await withPrivateSSHD { host in
      #expect(try await host.connection().shell("echo hello").text == "hello\n")
      var destination = try host.destination()
      destination.algorithms = try #require(SSHAlgorithms(adding: ["hmac-sha1"]))
      let connection = HostConnection(destination: destination, loop: try testLoop())
      #expect(try await connection.shell("echo hello").text == "hello\n")
      #expect(
        await connection.algorithmWarning
          == "its file allows outdated SSH algorithms that the host does not need: take 'sshAlgorithms: [hmac-sha1]' out")
    }
  }

  @Test func anRSAHostKeyCanBeAllowed() async throws {
    try await withPrivateSSHD(.init(hostKeys: ["rsa"], options: ["HostKeyAlgorithms ssh-rsa"])) { host in
      let error = await failure { try await scanHostKey(host: "127.0.0.1", port: host.port, loop: try testLoop()) }
      #expect("\(try #require(error))".contains("Make an ed25519 host key there with 'ssh-keygen -A'"))
      var destination = try host.destination(hostKey: try host.fingerprint("rsa"))
      destination.algorithms = try #require(SSHAlgorithms(adding: ["ssh-rsa"]))
      #expect(try await HostConnection(destination: destination, loop: try testLoop()).shell("echo hello").text == "hello\n")
    }
  }

  @Test func knowsTheNamesThatCanBeAdded() {
    for name in ["", "none", "arcfour", "hmac-md5", "diffie-hellman-group1-sha1", "hmac-sha1,none"] { #expect(SSHAlgorithms(adding: [name]) == nil) }
    #expect(SSHAlgorithms(adding: SSHAlgorithms.addable)?.added.count == 8)
  }

  // MARK: What a host offers

  private func opening(_ lists: [String], before: String = "") -> [UInt8] {
    var body: [UInt8] = [20] + [UInt8](repeating: 7, count: 16)
    for list in lists { body += SSHWireReader.string(Array(list.utf8)) }
    body += [0, 0, 0, 0, 0]
    let packet = SSHWireReader.uint32(UInt32(body.count + 5)) + [4] + body + [0, 0, 0, 0]
    let ignored = SSHWireReader.uint32(12) + [4, 2, 0, 0, 0, 2, 1, 1] + [0, 0, 0, 0]
    return Array((before + "SSH-2.0-x\r\n").utf8) + ignored + packet
  }

  private static let offered = ["a,curve25519-sha256", "ssh-rsa", "aes128-ctr", "3des-cbc", "hmac-sha2-256", "hmac-sha2-512", "none", "none", "", ""]

  @Test func readsTheOfferOfEachDirection() throws {
    let offer = try #require(AlgorithmOffer(opening: opening(Self.offered, before: "hello\r\n")))
    let mismatches = offer.mismatches(with: SSHAlgorithms())
    #expect(mismatches.map(\.purpose) == [.hostKey, .cipher])
    #expect(mismatches.map(\.offered) == [["ssh-rsa"], ["3des-cbc"]])
    #expect(mismatches.map(\.addable) == ["ssh-rsa", nil])
  }

  @Test func isNotDeceivedByForeignBytes() throws {
    let whole = opening(Self.offered)
    for count in 0..<(whole.count - 60) { #expect(AlgorithmOffer(opening: Array(whole.prefix(count))) == nil) }
    for index in whole.indices {
      for value: UInt8 in [0, 1, 127, 255] {
        var damaged = whole
        damaged[index] = value
        _ = AlgorithmOffer(opening: damaged)?.mismatches(with: SSHAlgorithms())
      }
    }
    let names = (0..<20).map { "\u{1b}[2J\n\($0)" + String(repeating: "x", count: 100) }.joined(separator: ",")
    let text = "\(try #require(AlgorithmOffer(opening: opening([names] + Self.offered.dropFirst()))).mismatches(with: SSHAlgorithms())[0])"
    #expect(text.contains("and 8 more") && text.utf8.count < 1000 && text.utf8.allSatisfy { $0 >= 32 })
  }
}
