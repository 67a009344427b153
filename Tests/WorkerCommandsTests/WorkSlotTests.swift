import BuildModel
import Foundation
import Glibc
import Testing

/// Where attempts build, one after the other and side by side.
@Suite(.timeLimit(.minutes(5)))
struct WorkSlotTests {
  private let sample: SampleRepository
  private let host: WorkerHost

  init() throws {
    sample = try SampleRepository.shared()
    host = try WorkerHost()
  }

  /// An attempt with a feed and a block alone.
  private func spec(_ number: Int = 1) throws -> TaskSpec {
    var spec = try sample.spec()
    spec.attempt = AttemptID(request: RequestID(now: .now), slug: spec.slug, number: number)
    spec.system = nil
    return spec
  }

  private func tree(_ spec: TaskSpec) throws -> String {
    try FileManager.default.destinationOfSymbolicLink(atPath: "\(host.root)/attempts/\(spec.attempt)/tree")
  }

  private struct File: Hashable {
    var inode: UInt
    var seconds: Int
    var nanoseconds: Int
    init(_ path: String) throws {
      var status = stat()
      try #require(lstat(path, &status) == 0, "\(path)")
      (inode, seconds, nanoseconds) = (status.st_ino, status.st_mtim.tv_sec, status.st_mtim.tv_nsec)
    }
  }

  private func log(_ spec: TaskSpec) throws -> String {
    try String(contentsOfFile: "\(host.root)/attempts/\(spec.attempt)/console.log", encoding: .utf8)
  }

  /// The second attempt finds every file as it was, and what bitbake remembers of it; what was built before is gone.
  @Test func theTreeAndTheParseCacheStay() throws {
    let first = try spec()
    try host.startWithSources(first, of: sample)
    let outcome = try host.outcome(first.attempt)
    try #require(outcome.failure == nil, "\(outcome.failure?.reason ?? "")")
    let place = try tree(first)
    #expect(place == host.root + "/work/0")
    let names = ["acme-board64.coffee", "layers/meta-balena/recipes-core/os-release/os-release.bb", "balena-yocto-scripts/build/barys"]
    let before = try names.map { try File("\(place)/\($0)") }
    for name in ["junk", "contracts/junk", "balena-yocto-scripts/junk"] { try Data().write(to: URL(filePath: "\(place)/\(name)")) }
    try Data("x".utf8).write(to: URL(filePath: place + "/VERSION"))
    try Data("[core]\nhooksPath = /evil\n".utf8).write(to: URL(filePath: place + "/.git/config"))
    try Data().write(to: URL(filePath: place + "/build/stale"))
    #expect(try !log(first).contains("bitbake -e") && log(first).contains("-R \(place)/build/blockfarm-post.conf"))
    _ = try host.ask(AcknowledgeAnswer.self, ["acknowledge", first.attempt.description])
    #expect(!FileManager.default.fileExists(atPath: place + "/build") && FileManager.default.fileExists(atPath: place + "/VERSION"))

    let second = try spec()
    try host.startWithSources(second, of: sample)
    let again = try host.outcome(second.attempt)
    try #require(again.failure == nil, "\(again.failure?.reason ?? "")")
    #expect(try tree(second) == place)
    #expect(try names.map { try File("\(place)/\($0)") } == before)
    for name in ["junk", "contracts/junk", "balena-yocto-scripts/junk", "build/stale"] {
      #expect(!FileManager.default.fileExists(atPath: "\(place)/\(name)"), "\(name)")
    }
    #expect(try String(contentsOfFile: place + "/VERSION", encoding: .utf8).hasPrefix("6.1.24+rev3"))
    #expect(try !String(contentsOfFile: place + "/.git/config", encoding: .utf8).contains("evil"))
    #expect(again.blocks == outcome.blocks && again.packageArchitectures == outcome.packageArchitectures)
    #expect(try log(first).contains("Parsing recipes...done.") && !log(second).contains("Parsing recipes...done."))
  }

  /// Two attempts never share a tree, and a late word about one does not touch the other's.
  @Test func aTreeHasOneAttempt() throws {
    let (first, second) = (try spec(), try spec(2))
    try host.startWithSources(first, of: sample, faults: "hang=1")
    try host.follow(first.attempt) { if case .event(let event) = $0, event.kind == .stepStarted(.feed) { true } else { false } }
    try host.startWithSources(second, of: sample)
    #expect(try host.outcome(second.attempt).failure == nil)
    #expect(try tree(first) == host.root + "/work/0" && tree(second) == host.root + "/work/1")
    // The first one is killed; its place, with all that runs there, is taken over.
    kill(try host.runner(first.attempt), SIGKILL)
    let third = try spec(3)
    try host.startWithSources(third, of: sample, faults: "hang=1")
    try host.follow(third.attempt) { if case .event(let event) = $0, event.kind == .stepStarted(.feed) { true } else { false } }
    #expect(try tree(third) == host.root + "/work/0")
    #expect(try host.processes(first.attempt) == [])
    #expect(try host.outcome(first.attempt).failure?.kind == .lost)
    #expect(try !host.ask(CancelAnswer.self, ["cancel", first.attempt.description]).wasRunning)
    _ = try host.ask(AcknowledgeAnswer.self, ["acknowledge", first.attempt.description])
    #expect(FileManager.default.fileExists(atPath: host.root + "/work/0/build"))
    #expect(try host.ask([ProbeReport.AttemptState].self, ["list"]).contains(.init(attempt: third.attempt, state: .running)))
    #expect(try host.ask(CancelAnswer.self, ["cancel", third.attempt.description]).wasRunning)
  }

  /// The host's own directory for temporary files is needed for nothing.
  @Test func temporaryFilesStayBelowTheRoot() throws {
    host.variables["TMPDIR"] = "/nonexistent"
    // barys is a python3 program: this one needs a temporary file first.
    let (programs, path) = (host.scratch + "/programs", ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin")
    try FileManager.default.createDirectory(atPath: programs, withIntermediateDirectories: true)
    try Data("#!/bin/sh\nmktemp >/dev/null || exit 9\nPATH='\(path)' exec python3 \"$@\"\n".utf8).write(to: URL(filePath: programs + "/python3"))
    for path in [programs, programs + "/python3"] { try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path) }
    host.variables["PATH"] = "\(programs):\(path)"
    let spec = try sample.spec()
    try host.startWithSources(spec, of: sample)
    let outcome = try host.outcome(spec.attempt)
    #expect(outcome.failure == nil, "\(outcome.failure?.reason ?? "")")
    _ = try host.ask(AcknowledgeAnswer.self, ["acknowledge", spec.attempt.description])
    #expect(try host.run(["gc"]).status == 0 && host.run(["probe"]).status == 0)
    #expect(try FileManager.default.contentsOfDirectory(atPath: host.root + "/tmp").isEmpty)
  }
}
