import BlobStore
import BoundedConcurrency
import BuildModel
import FoundationEssentials
import Processes

import struct Crypto.SHA256

/// Puts the worker program on a host with nothing but a shell there: `<root>/bin/<digest>/blockfarm-worker`.
///
/// The digest in the path makes it harmless to repeat, and an attempt that runs keeps the program it began with.
package struct WorkerInstaller: Sendable {
  private let transport: any WorkerTransport
  private let root: String

  package init(transport: any WorkerTransport, root: String) {
    self.transport = transport
    self.root = root
  }

  /// Where a program of this content lies on the host, installed or not.
  package func command(for digest: Digest) -> InstalledWorker {
    InstalledWorker(binary: "\(root)/bin/\(digest.hex)/blockfarm-worker", root: root)
  }

  /// Installs the program unless it is there, and asks it for its report: the host's word that it runs.
  package func install(binary path: String) async throws -> (command: InstalledWorker, report: ProbeReport) {
    let digest = try await Self.digest(of: path)
    let command = command(for: digest)
    try await checkMachine(of: path)
    if try await !isThere(command, digest) { try await send(path, to: command, digest: digest) }
    let report = try await WorkerClient(transport: transport, command: command).probe()
    guard report.binary == digest else {
      throw ExecutorError.malformed(host: transport.hostName, what: "a worker of digest \(report.binary) where \(digest) was installed")
    }
    return (command, report)
  }

  /// sha256 of a file.
  package static func digest(of path: String) async throws -> Digest {
    try await BlockingWork.run {
      var hash = SHA256()
      try FileReader.read(path) { hash.update(bufferPointer: $0) }
      guard let digest = Digest(bytes: hash.finalize()) else { throw ExecutorError.local(operation: "hash", path: path, errno: 22) }
      return digest
    }
  }

  private func checkMachine(of path: String) async throws {
    let (exit, output) = try await transport.capture(RemoteCommand(["uname", "-m"]))
    // What a login shell prints comes first.
    let machine = OutputTail.printable(output.suffix(4096)).split(whereSeparator: \.isNewline).last.map(String.init) ?? ""
    guard exit.isSuccess, !machine.isEmpty else {
      throw ExecutorError.remote(host: transport.hostName, command: "uname -m", exit: exit)
    }
    let binaryMachine = try await BlockingWork.run { ELFMachine(file: path) }
    guard let binaryMachine, binaryMachine.runs(onKernel: machine) else {
      throw ExecutorError.wrongMachine(
        host: transport.hostName, binary: path, binaryMachine: binaryMachine?.description ?? "no Linux processor (it is no ELF file)",
        hostMachine: machine)
    }
  }

  /// Whether this very program is there. What somebody put in its place is replaced.
  private func isThere(_ command: InstalledWorker, _ digest: Digest) async throws -> Bool {
    guard try await transport.capture(RemoteCommand(["test", "-x", command.binary])).exit.isSuccess else { return false }
    do {
      try await WorkerClient(transport: transport, command: command).verifyInstalled(digest)
      return true
    } catch ExecutorError.workerReplaced {
      return false
    }
  }

  /// Sends the file under a temporary name and moves it into place when its digest is right.
  private func send(_ path: String, to command: InstalledWorker, digest: Digest) async throws {
    let script =
      "set -e; umask 022; d=${1%/*}; mkdir -p \"$d\"; t=$d/.new.$$; trap 'rm -f \"$t\"' EXIT; cat > \"$t\"; "
      + "s=$(sha256sum \"$t\"); test \"${s%% *}\" = \"$2\" || { echo 'the file arrived damaged' >&2; exit 1; }; "
      + "chmod 755 \"$t\"; mv -f \"$t\" \"$1\"; trap - EXIT"
    let install = RemoteCommand(["sh", "-c", script, "install", command.binary, digest.hex])
    let exit = try await transport.withProcess(install, limits: ProcessLimits(silence: .seconds(120))) { process in
      if try await FileSource(path: path).send(exactly: nil, to: process) { try await process.closeInput() }
      return try await process.waitForExit()
    }
    guard exit.isSuccess else {
      throw ExecutorError.remote(host: transport.hostName, command: "installing \(command.binary)", exit: exit)
    }
  }
}
