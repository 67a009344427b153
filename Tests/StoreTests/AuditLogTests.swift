import BuildModel
import FoundationEssentials
import Glibc
import Store
import TestFiles
import Testing

/// The audit log on disk, with the database that knows its newest entry.
struct AuditLogTests {
  private func withLog(_ body: (AuditLog, String) async throws -> Void) async throws {
    try await withScratchDirectory { directory in
      try await body(try log(in: directory), directory)
    }
  }

  private func log(in directory: String, _ environment: [String: String] = [:]) throws -> AuditLog {
    AuditLog(directory: directory, store: try StateStore(directory: directory), environment: environment)
  }

  private func fill(_ log: AuditLog) async throws {
    let request = RequestID(now: Timestamp(milliseconds: 1_800_000_000_000))
    let environment = ["SSH_CONNECTION": "192.0.2.7 40000 192.0.2.1 22", "BUILD_URL": "https://ci.example/job/1/", "SUDO_USER": "eve"]
    let directory = String(log.path.dropLast("/audit.jsonl".count))
    let far = try self.log(in: directory, environment)
    try await far.append(AuditedAction(.build, request: request, subjects: ["board-a", "board-b"]))
    try await log.append(AuditedAction(.drainWorker, subjects: ["host-a"]))
    try await log.append(AuditedAction(.cancel, request: request))
  }

  private func text(_ log: AuditLog) throws -> String { try String(contentsOf: URL(filePath: log.path), encoding: .utf8) }
  private func set(_ log: AuditLog, _ text: String) throws { try Data(text.utf8).write(to: URL(filePath: log.path)) }

  @Test func keepsWhoAskedForWhatInOrder() async throws {
    try await withLog { log, directory in
      #expect(try await log.read().entries.isEmpty)
      try await fill(log)
      // Another process finds the end of the chain.
      let again = try self.log(in: directory)
      try await again.append(AuditedAction(.addWorker, subjects: ["host-b"]))
      let (entries, fault) = try await again.read()
      #expect(fault == nil)
      #expect(entries.map(\.number) == [1, 2, 3, 4] && entries.map(\.action) == [.build, .drainWorker, .cancel, .addWorker])
      #expect(entries[0].origin == "jenkins https://ci.example/job/1/, ssh 192.0.2.7, sudo by eve" && entries[1].origin == nil)
      #expect(entries[0].subjects == ["board-a", "board-b"] && entries[0].userID == getuid() && !entries[0].account.isEmpty)
      #expect(entries[0].previous == nil && entries[1].previous != nil)
      var status = stat()
      #expect(stat(log.path, &status) == 0 && status.st_mode & 0o777 == 0o600)
    }
  }

  @Test func manyAtOnceMakeOneChain() async throws {
    try await withLog { log, _ in
      await withTaskGroup(of: Void.self) { group in
        for number in 0..<20 {
          group.addTask { try? await log.append(AuditedAction(.collectGarbage, subjects: ["host-\(number)"])) }
        }
      }
      let (entries, fault) = try await log.read()
      #expect(entries.count == 20 && fault == nil)
    }
  }

  /// What somebody may do to a log, and the words that the fault is named with.
  @Test(arguments: [
    ("changed", "line 2 of"), ("removed", "line 2 of"), ("swapped", "line 1 of"), ("cut", "ends after 2 entries; the database knows 3"),
    ("garbage", "line 4 of"), ("rewritten", "is not the one that the database knows"), ("gone", "is gone; the database knows 3 entries"),
  ])
  func noticesWhatWasDoneToIt(_ deed: String, _ words: String) async throws {
    try await withLog { log, _ in
      try await fill(log)
      let lines = try text(log).split(separator: "\n").map(String.init)
      switch deed {
      case "changed": try set(log, ([lines[0].replacing("board-a", with: "board-x")] + lines[1...]).map { $0 + "\n" }.joined())
      case "removed": try set(log, [lines[0], lines[2]].map { $0 + "\n" }.joined())
      case "swapped": try set(log, [lines[1], lines[0], lines[2]].map { $0 + "\n" }.joined())
      case "cut": try set(log, lines[..<2].map { $0 + "\n" }.joined())
      case "garbage": try set(log, try text(log) + "{}\n")
      case "rewritten": try set(log, (Array(lines[..<2]) + [lines[2].replacing("cancel", with: "build")]).map { $0 + "\n" }.joined())
      default: try FileManager.default.removeItem(atPath: log.path)
      }
      let fault = try #require(try await log.read().fault)
      #expect(fault.contains(words), "\(fault)")
    }
  }

  @Test func appendsToNoBrokenLine() async throws {
    try await withLog { log, _ in
      try await fill(log)
      try set(log, String(try text(log).dropLast(10)))
      await #expect(throws: StoreError.self) { try await log.append(AuditedAction(.cancel)) }
    }
  }
}
