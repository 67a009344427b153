import Attempt
import BuildModel
import CanonicalJSON
import Foundation
import Processes
import TestFiles
import Testing

/// Journal, log, lock and outcome on a real disk.
final class AttemptFilesTests {
  private let scratch: ScratchDirectory
  private var root: String { scratch.path }
  private let directory: AttemptDirectory

  init() throws {
    scratch = try ScratchDirectory()
    directory = AttemptDirectory(root: scratch.path, id: try #require(AttemptID("01890000-0000-7000-8000-000000000001.acme-board64.1")))
    try directory.create()
  }

  @Test func aCutLineIsWrittenAgain() throws {
    do {
      let journal = try Journal(path: directory.journalPath)
      try journal.append(.stepStarted(.source), durable: true)
      try journal.append(.notice("whole"), durable: false)
    }
    let file = try #require(FileHandle(forWritingAtPath: directory.journalPath))
    try file.seekToEnd()
    try file.write(contentsOf: Data(#"{"kind":{"notice":{"_0":"cut"#.utf8))
    try file.close()
    let journal = try Journal(path: directory.journalPath)
    #expect(journal.lastSequence == 2)
    try journal.append(.notice("after"), durable: false)
    var reader = JournalReader(path: directory.journalPath)
    #expect(try reader.read().map(\.sequence) == [1, 2, 3])
    try journal.append(.notice("more"), durable: false)
    #expect(try reader.read().map(\.sequence) == [4])
    #expect(try reader.read().isEmpty)
  }

  @Test func aGapInTheJournalIsAnError() throws {
    let events = [1, 3].map { WorkerEvent(sequence: $0, time: .now, kind: .notice("x")) }
    let lines = try events.map { try WorkerProtocol.line($0) }.joined()
    try Data(lines).write(to: URL(filePath: directory.journalPath))
    var reader = JournalReader(path: directory.journalPath)
    #expect { try reader.read() } throws: { "\($0)".contains("event 3 follows event 1") }
  }

  @Test func theLogIsCutWithAMarker() throws {
    let log = try ConsoleLog(path: directory.consolePath, limit: 100)
    for index in 0..<50 { try log.write("line \(index)") }
    let text = try String(contentsOfFile: directory.consolePath, encoding: .utf8)
    #expect(text.hasPrefix("line 0\nline 1\n"))
    #expect(text.hasSuffix("[blockfarm] the log ends here at its limit of 100 bytes; the build goes on\n"))
    #expect(text.components(separatedBy: "[blockfarm]").count == 2)
  }

  @Test func secretsDoNotReachTheLog() throws {
    let log = try ConsoleLog(path: directory.consolePath, limit: 1000, secrets: ["hunter2", "hunter2-long", "abc"])
    try log.write("token=hunter2-long, again hunter2hunter2, abc stays")
    #expect(try String(contentsOfFile: directory.consolePath, encoding: .utf8) == "token=[secret], again [secret][secret], abc stays\n")
  }

  @Test func aLockPassesWithItsDescriptor() throws {
    var first = try AttemptLock.acquire(directory.lockPath)
    #expect(first != nil)
    #expect(try AttemptLock.acquire(directory.lockPath) == nil)
    #expect(AttemptLock.isHeld(directory.lockPath))
    // The descriptor as a child has it: the lock outlives the one who took it.
    var second: AttemptLock? = AttemptLock(inherited: dup(try #require(first).descriptor), path: directory.lockPath)
    first = nil
    #expect(AttemptLock.isHeld(directory.lockPath))
    #expect(second != nil)
    second = nil
    #expect(!AttemptLock.isHeld(directory.lockPath))
  }

  @Test func whatHasNoRunnerIsLostOnce() throws {
    guard case .unknown = try directory.settle() else { Issue.record("known without a spec"); return }
    try Data("{}\n".utf8).write(to: URL(filePath: directory.specPath))
    try Journal(path: directory.journalPath).append(.stepStarted(.source), durable: true)
    guard case .ended(let outcome) = try directory.settle() else { Issue.record("still running"); return }
    #expect(outcome.failure?.kind == .lost)
    #expect(outcome.failure?.reason == "the attempt was lost before its runner was started")
    guard case .ended(let again) = try directory.settle() else { Issue.record("ran again"); return }
    #expect(again == outcome)
    var reader = JournalReader(path: directory.journalPath)
    let events = try reader.read()
    #expect(events.count == 2)
    #expect(events.last?.kind == .outcome(outcome))
  }

  /// Killed between writing the outcome and telling of it.
  @Test func theLastEventIsAddedToAnOutcome() throws {
    try Data("{}\n".utf8).write(to: URL(filePath: directory.specPath))
    let outcome = Outcome(
      attempt: directory.id, failure: nil, steps: [], blocks: [], artifacts: [], startedAt: .now, endedAt: .now, packageArchitectures: [])
    try DurableFile.write(try CanonicalJSON.line(outcome), to: directory.outcomePath)
    guard case .ended(let found) = try directory.settle() else { Issue.record("still running"); return }
    #expect(found == outcome)
    var reader = JournalReader(path: directory.journalPath)
    #expect(try reader.read().map(\.kind) == [.outcome(outcome)])
  }

  /// Another boot's runner cannot be there any more, whoever has its number now.
  @Test func aRestartIsTold() throws {
    try Data("{}\n".utf8).write(to: URL(filePath: directory.specPath))
    try Data("\(getpid()) 00000000-0000-0000-0000-000000000000\n".utf8).write(to: URL(filePath: directory.lockPath))
    guard case .ended(let outcome) = try directory.settle() else { Issue.record("still running"); return }
    #expect(outcome.failure?.reason == "the attempt was lost when the host was restarted")
  }

  @Test func linesAreCut() {
    var lines = OutputLines()
    func feed(_ text: String) -> [String] {
      Array(text.utf8).withUnsafeBytes { lines.feed($0) }.map { String(decoding: $0, as: UTF8.self) }
    }
    #expect(feed("one\r\ntw") == ["one"])
    #expect(feed("o\n\nrest") == ["two", ""])
    #expect(lines.finish().map { String(decoding: $0, as: UTF8.self) } == ["rest"])
    #expect(feed(String(repeating: "x", count: 40_000)).map(\.count) == [16384, 16384])
  }
}
