import BuildModel
import Foundation
import TestPeers
import Testing

@testable import Executors

@Suite struct WorkerInstallerTests {
  @Test func knowsWhichHostsRunAFile() throws {
    func header(_ code: UInt8, bits: UInt8) -> [UInt8] {
      [0x7f, 0x45, 0x4c, 0x46, bits, 1, 1] + [UInt8](repeating: 0, count: 9) + [2, 0, code, 0]
    }
    let x86 = try #require(ELFMachine(header: header(62, bits: 2)))
    let arm64 = try #require(ELFMachine(header: header(183, bits: 2)))
    let arm = try #require(ELFMachine(header: header(40, bits: 1)))
    #expect(x86.runs(onKernel: "x86_64") && !x86.runs(onKernel: "aarch64"))
    #expect(arm64.runs(onKernel: "aarch64") && !arm64.runs(onKernel: "armv7l"))
    #expect(arm.runs(onKernel: "armv7l") && arm.runs(onKernel: "aarch64") && !arm.runs(onKernel: "x86_64"))
    #expect(ELFMachine(header: Array("#!/bin/sh and more than twenty".utf8)) == nil)
    #expect(ELFMachine(file: "/bin/sh")?.runs(onKernel: try Tool.run(["uname", "-m"]).trimmingCharacters(in: .whitespacesAndNewlines)) == true)
  }

  @Test func refusesABinaryForAnotherProcessor() async throws {
    try await withPrivateSSHD { host in
      let isARM = ELFMachine(file: "/bin/sh")?.code == 183
      let file = host.directory + "/worker"
      try Data([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1] + [UInt8](repeating: 0, count: 9) + [2, 0, isARM ? 62 : 183, 0]).write(
        to: URL(fileURLWithPath: file))
      let installer = WorkerInstaller(transport: try host.connection(), root: host.directory + "/root")
      let error = await failure { try await installer.install(binary: file) }
      #expect("\(try #require(error))".contains("swift build -c release --product blockfarm-worker"))
      #expect(!FileManager.default.fileExists(atPath: host.directory + "/root"))
    }
  }

  /// Any program of this machine's processor gets there whole; its answer shows that it is no worker.
  @Test func copiesTheProgramOnceAndAsksIt() async throws {
    try await withPrivateSSHD { host in
      let root = host.directory + "/the root"
      let installer = WorkerInstaller(transport: try host.connection(), root: root)
      let error = await failure { try await installer.install(binary: "/usr/bin/sha256sum") }
      guard case .notAWorker = error as? ExecutorError else {
        Issue.record("\(String(describing: error))")
        return
      }
      let command = installer.command(for: try await WorkerInstaller.digest(of: "/usr/bin/sha256sum"))
      #expect(FileManager.default.contentsEqual(atPath: "/usr/bin/sha256sum", andPath: command.binary))
      let before = try FileManager.default.attributesOfItem(atPath: command.binary)[.systemFileNumber] as? UInt64
      _ = await failure { try await installer.install(binary: "/usr/bin/sha256sum") }
      #expect(try FileManager.default.attributesOfItem(atPath: command.binary)[.systemFileNumber] as? UInt64 == before)
      #expect(try FileManager.default.contentsOfDirectory(atPath: (command.binary as NSString).deletingLastPathComponent) == ["blockfarm-worker"])
    }
  }
}
