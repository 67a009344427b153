import Foundation
import TestFiles
import TestPeers
import Testing

import struct Crypto.SHA256

@testable import Executors

@Suite struct SSHStreamTests {
  private static func hex(_ bytes: [UInt8]) -> String { SHA256.hash(data: bytes).map { String(format: "%02x", $0) }.joined() }

  @Test func handsOverArgumentsAsTheyAre() async throws {
    let arguments = ["a b", "it's", "$HOME", "`id`", "", "~", "x\ny", "\\", "*", "\"", "-n", ";", "ü"]
    try await withPrivateSSHD { host in
      let answer = try await host.connection().exchange(["printf", "%s\\0"] + arguments)
      #expect(answer.text.split(separator: "\0", omittingEmptySubsequences: false).dropLast().map(String.init) == arguments)
      let home = try await host.connection().exchange(["echo", "~/a b"])
      #expect(home.text == NSHomeDirectory() + "/a b\n")
    }
  }

  /// With the limit, sshd asks for new keys every megabyte, in the middle of the streams.
  @Test(arguments: [[], ["RekeyLimit 1M"]])
  func streamsManyMegabytesBothWays(options: [String]) async throws {
    try await withPrivateSSHD(.init(options: options)) { host in
      let connection = try host.connection()
      let bytes = noise(24 << 20)
      let sum = try await connection.exchange(["sha256sum"], input: bytes)
      #expect(sum.text.hasPrefix(Self.hex(bytes)))
      let file = host.directory + "/bytes"
      try Data(bytes).write(to: URL(fileURLWithPath: file))
      let back = try await connection.exchange(["cat", file])
      #expect(back.output.count == bytes.count)
      #expect(Self.hex(back.output) == Self.hex(bytes))
    }
  }

  @Test func keepsOutputThatComesWhileInputIsWritten() async throws {
    try await withPrivateSSHD { host in
      let bytes = noise(3 << 20)
      let answer = try await host.connection().exchange(["cat"], input: bytes)
      #expect(answer.output == bytes)
    }
  }

  @Test func writingToACommandThatEndsTellsWhy() async throws {
    try await withPrivateSSHD { host in
      let answer = try await host.connection().shell("echo no >&2; exit 7", input: noise(16 << 20))
      #expect(answer.exit == ProcessExit(status: 7, signal: nil, standardError: "no"))
    }
  }

  @Test func tellsASignal() async throws {
    try await withPrivateSSHD { host in
      let answer = try await host.connection().shell("kill -9 $$")
      #expect(answer.exit.signal == "KILL")
      #expect(answer.exit.status == nil)
    }
  }

  @Test func boundsStandardError() async throws {
    try await withPrivateSSHD { host in
      let answer = try await host.connection().shell("head -c 6000000 /dev/zero | tr '\\0' x >&2; echo; echo end >&2; echo out")
      #expect(answer.text == "\nout\n")
      #expect(answer.exit.standardError.utf8.count <= 8 << 10)
      #expect(answer.exit.standardError.hasSuffix("xxend"))
    }
  }

  @Test(arguments: [500, 10, 1])
  func runsFiftyCommandsAtOnce(maxSessions: Int) async throws {
    try await withPrivateSSHD(.init(options: ["MaxSessions \(maxSessions)"])) { host in
      var limits = ConnectionLimits()
      if maxSessions == 500 { limits.channelsPerSession = 100 }
      let connection = try host.connection(limits: limits)
      let answers = try await within(.seconds(60)) {
        try await withThrowingTaskGroup(of: String.self) { group in
          for number in 1...50 { group.addTask { try await connection.exchange(["echo", "\(number)"]).text } }
          return try await group.reduce(into: Set<String>()) { $0.insert($1) }
        }
      }
      #expect(answers == Set((1...50).map { "\($0)\n" }))
    }
  }

  /// A command that was given up goes on there and holds its place; another session does not know of it.
  @Test func aCommandThatGoesOnKeepsNoneFromStarting() async throws {
    try await withPrivateSSHD(.init(options: ["MaxSessions 1"])) { host in
      let connection = try host.connection()
      for _ in 0..<3 {
        let script = RemoteCommand(["sh", "-c", "trap '' HUP PIPE; echo on; exec sleep 1000"])
        let first = try await within(.seconds(20)) {
          try await connection.withProcess(script, limits: ProcessLimits()) { process in try await process.read() }
        }
        #expect(first == Array("on\n".utf8))
        let next = try await within(.seconds(20)) { try await connection.exchange(["echo", "next"]).text }
        #expect(next == "next\n")
      }
    }
  }

  @Test func saysThatAHostAllowsNoCommand() async throws {
    try await withPrivateSSHD(.init(options: ["MaxSessions 0"])) { host in
      let connection = try host.connection()
      let error = try await within(.seconds(20)) { await failure { try await connection.exchange(["true"]) } }
      #expect("\(String(describing: error))".contains("MaxSessions"), "\(String(describing: error))")
    }
  }

  @Test(arguments: [(0, 0), (1, 1), (3, 3), (10, 8)])
  func findsOutHowManyCommandsAHostAllowsOnASession(maxSessions: Int, found: Int) async throws {
    try await withPrivateSSHD(.init(options: ["MaxSessions \(maxSessions)"])) { host in
      let count = try await host.connection().commandsAtOnce(upTo: 8)
      #expect(count == found)
    }
  }

  /// Each stream must get on although the others' packets come in the same reads.
  @Test(arguments: [[], ["RekeyLimit 1M"]])
  func interleavesStreamsOnOneSession(options: [String]) async throws {
    try await withPrivateSSHD(.init(options: ["MaxSessions 500"] + options)) { host in
      var limits = ConnectionLimits()
      limits.channelsPerSession = 100
      limits.sessions = 1
      let connection = try host.connection(limits: limits)
      try await within(.seconds(60)) {
        try await withThrowingTaskGroup(of: Void.self) { group in
          for number in 0..<12 {
            group.addTask {
              let bytes = noise(700_000 + number)
              if number % 2 == 0 {
                let answer = try await connection.exchange(["cat"], input: bytes)
                #expect(answer.output == bytes)
              } else {
                let script = "for i in 1 2 3 4 5 6 7 8 9 10; do echo $i; head -c 100000 /dev/zero; done"
                let answer = try await connection.shell(script)
                #expect(answer.output.count == 1_000_021)
              }
            }
          }
          try await group.waitForAll()
        }
      }
    }
  }

  @Test func aReaderThatStopsHoldsTheCommandBack() async throws {
    try await withPrivateSSHD { host in
      let connection = try host.connection()
      let mark = host.directory + "/written"
      try await connection.withProcess(
        RemoteCommand(["sh", "-c", "head -c 64000000 /dev/zero; echo done > '\(mark)'"]), limits: ProcessLimits(silence: .seconds(20))
      ) { process in
        let first = try await process.read()
        #expect(first?.isEmpty == false)
        // Other commands go on meanwhile, and the held one cannot have finished: 64 MB are more than window and buffers hold.
        for _ in 0..<20 { #expect(try await connection.exchange(["echo", "on"]).text == "on\n") }
        #expect(!FileManager.default.fileExists(atPath: mark))
        var count = first?.count ?? 0
        while let piece = try await process.read() { count += piece.count }
        #expect(count == 64_000_000)
      }
    }
  }

  @Test func whatFollowsAnAnswerIsBounded() async throws {
    try await withPrivateSSHD { host in
      let connection = try host.connection()
      let error = try await within(.seconds(30)) {
        await failure { try await connection.withProcess(RemoteCommand(["yes"]), limits: ProcessLimits()) { try await $0.waitForExit() } }
      }
      #expect(error as? ExecutorError == .malformed(host: "arm-1", what: "more than 16 MiB after the end of its answer"))
      #expect(try await connection.exchange(["echo", "on"]).text == "on\n")
    }
  }
}
