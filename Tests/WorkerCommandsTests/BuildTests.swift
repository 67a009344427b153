import BlobStore
import Blocks
import BuildModel
import Foundation
import TestPeers
import Testing

/// Whole attempts with the real program and the sample repository's barys.
@Suite(.timeLimit(.minutes(5)))
struct BuildTests {
  @Test func aSpecBecomesAnOutcome() throws {
    let sample = try SampleRepository.shared()
    let host = try WorkerHost()
    let spec = try sample.spec()
    try host.startWithSources(spec, of: sample)
    let lines = try host.attach(spec.attempt)
    guard case .event(let last)? = lines.last, case .outcome(let outcome) = last.kind else { Issue.record("no outcome"); return }

    #expect(outcome.failure == nil)
    #expect(outcome.steps.map(\.name) == [.source, .feed, .blocks, .hostapp, .image, .artifacts])
    #expect(outcome.steps.allSatisfy { $0.outcome == .done })
    #expect(outcome.packageArchitectures.first == "all" && outcome.packageArchitectures.last == "acme_board64")
    let paths = Set(outcome.artifacts.filter { $0.role != .feed }.map(\.path.text))
    #expect(
      paths.isSuperset(of: [
        "device-type.json", "VERSION", "VERSION_HOSTOS", "balena-image-acme-board64.manifest", "balena-image.docker", "licenses.tar.gz",
        "CHANGELOG.md",
        "image/balena.img.zip", "images/balena-image-acme-board64.balenaos-img", "tests.tar.gz",
      ]))
    let store = try BlobStore(root: host.root + "/blobs")
    #expect(store.missing(outcome.blobs).isEmpty)
    for blob in outcome.blobs { try store.verify(blob.digest) }
    #expect(outcome.blocks.count == 1)
    _ = try BlockVerification.verify(outcome.blocks[0], against: spec.blocks[0], in: store)
    let feed = outcome.artifacts.filter { $0.role == .feed }.map(\.path.text)
    #expect(feed.contains("ipk/all/Packages.gz") && feed.contains { $0.hasPrefix("ipk/acme_board64/acme-diag-config_1.9") })

    // Events are numbered without gaps, and the log is all there.
    let events = lines.compactMap { if case .event(let event) = $0 { event.sequence } else { nil } }
    #expect(events == Array(1...events.count))
    let log = lines.reduce(into: "") { if case .log(_, _, let text) = $1 { $0 += text } }
    #expect(log == (try String(contentsOfFile: "\(host.root)/attempts/\(spec.attempt)/console.log", encoding: .utf8)))

    // Again: nothing is done twice, and a later attach goes on where the earlier one stood.
    #expect(try host.start(spec) == .started)
    #expect(try host.attach(spec.attempt, from: events.count, logFrom: Int64(log.utf8.count)) == [lines[lines.count - 1]])
    #expect(try host.processes(spec.attempt) == [])
    #expect(
      try host.ask(CancelAnswer.self, ["cancel", spec.attempt.description]) == CancelAnswer(attempt: spec.attempt, known: true, wasRunning: false))
    #expect(try host.outcome(spec.attempt) == outcome)
    let probe = try host.ask(ProbeReport.self, ["probe"])
    #expect(probe.attempts == [.init(attempt: spec.attempt, state: .ended)])
    #expect(probe.cachedMachines == ["acme-board64"] && probe.mirrors.count == 2)
    #expect(probe.features.contains(.buildUser) && probe.features.contains(.git))
  }

  struct Fault: Sendable, CustomTestStringConvertible {
    var fault: String
    var step: Step
    var reason: String
    var testDescription: String { fault }
  }

  @Test(arguments: [
    Fault(fault: "fail=acme-diag-data", step: .feed, reason: "recipe acme-diag-data-3.0-r0 failed in do_compile"),
    Fault(fault: "fail=acme-diag-data;lie=1", step: .feed, reason: "(the build wrapper nevertheless ended with status 0)"),
    Fault(fault: "fail=acme-diag-data;lie=quiet", step: .feed, reason: "recipe acme-diag-data-3.0-r0 failed in do_compile"),
    Fault(fault: "lie=stale", step: .feed, reason: "build"),
    Fault(fault: "missing-package=acme-diag-tools", step: .blocks, reason: "package 'acme-diag-tools' is not in the feed"),
    Fault(fault: "corrupt-ipk=acme-diag-tools", step: .feed, reason: "its sha256 is not the index's"),
    Fault(fault: "broken-archive=acme-diag-tools", step: .blocks, reason: "acme-diag-tools"),
    Fault(fault: "fail=balena-image", step: .hostapp, reason: "recipe balena-image-1.0-r0 failed in do_rootfs"),
    Fault(
      fault: "no-hostapp=1", step: .hostapp, reason: "the build did not make 'build/tmp/deploy/images/acme-board64/balena-image-acme-board64.docker'"),
    Fault(
      fault: "no-image=1", step: .image,
      reason: "the build did not make 'build/tmp/deploy/images/acme-board64/balena-image-acme-board64.balenaos-img'"),
  ])
  func aFaultIsABuildFailure(_ fault: Fault) throws {
    let sample = try SampleRepository.shared()
    let host = try WorkerHost()
    let spec = try sample.spec()
    try host.startWithSources(spec, of: sample, faults: fault.fault)
    let failure = try #require(try host.outcome(spec.attempt).failure)
    #expect(failure.kind == .build)
    #expect(failure.step == fault.step)
    #expect(failure.reason.contains(fault.reason), "\(failure.reason)")
    let logs = try host.outcome(spec.attempt).artifacts.filter { $0.role == .log }
    #expect(logs.isEmpty == !fault.fault.hasPrefix("fail="))
    if fault.fault.hasPrefix("fail=acme") {
      #expect(logs.map(\.path.text) == ["logs/acme-diag-data-3.0-r0.do_compile.log"])
      let text = String(decoding: try BlobStore(root: host.root + "/blobs").read(logs[0].digest), as: UTF8.self)
      #expect(text.hasPrefix("DEBUG: Executing shell function do_compile\n") && text.contains("acme-diag-data: the miniature was told to fail here"))
      #expect(failure.details.last == "console log: \(host.root)/attempts/\(spec.attempt)/console.log")
      #expect(failure.details.count > 3)
    }
  }

  @Test func secretsAreNowhereOnTheDisk() throws {
    let sample = try SampleRepository.shared()
    let host = try WorkerHost()
    var spec = try sample.spec()
    spec.blocks = []
    // barys' miniature reports a fault that it does not know, value and all.
    try host.startWithSources(spec, of: sample, faults: "unheard-of=swordfish-4711")
    let failure = try #require(try host.outcome(spec.attempt).failure)
    #expect(failure.kind == .build)
    // In the work tree the build itself writes (barys.log), with what it was given. That goes with the acknowledgement.
    #expect(try Tool.end(of: ["grep", "--recursive", "--quiet", "--exclude-dir=work", "swordfish", host.root]).status == 1)
    _ = try host.ask(AcknowledgeAnswer.self, ["acknowledge", spec.attempt.description])
    #expect(try Tool.end(of: ["grep", "--recursive", "--quiet", "swordfish", host.root]).status == 1)
    let log = try String(contentsOfFile: "\(host.root)/attempts/\(spec.attempt)/console.log", encoding: .utf8)
    #expect(log.contains("unknown fault '[secret]'"))
  }

  @Test(arguments: [("silent=60", Limits(silentSeconds: 0.5, totalSeconds: 60)), ("hang=setsid", Limits(silentSeconds: 60, totalSeconds: 4))])
  func limitsAreEnforcedByTheWorker(_ fault: String, _ limits: Limits) throws {
    let sample = try SampleRepository.shared()
    let host = try WorkerHost()
    var spec = try sample.spec()
    spec.limits = limits
    try host.startWithSources(spec, of: sample, faults: fault)
    let failure = try #require(try host.outcome(spec.attempt).failure)
    #expect(failure.kind == .timedOut, "\(failure)")
    #expect(try host.processes(spec.attempt) == [])
  }
}
