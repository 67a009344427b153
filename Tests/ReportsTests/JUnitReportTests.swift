import BuildModel
import Foundation
import Reports
import TestFiles
import TestGolden
import TestPeers
import Testing

/// JUnit XML, read by xmllint and by Python's junitparser.
struct JUnitReportTests {
  static let request = RequestID("01900000-0000-7000-8000-000000000000")!

  func report(
    _ slug: String, _ outcome: DeviceTypeReport.Result, reason: String? = nil, failure: Failure.Kind? = nil, details: [String] = [],
    steps: [StepResult] = [], notices: [String] = []
  ) throws -> DeviceTypeReport {
    DeviceTypeReport(
      slug: try Slug(slug), machine: try Machine(slug), arch: .aarch64, version: "6.1.24+rev3", outcome: outcome, reason: reason,
      failure: failure, details: details, log: outcome == .failed ? RelativePath("logs/attempt-2.log") : nil,
      host: outcome == .skipped ? nil : try HostName("arm-1"), attempts: outcome == .skipped ? 0 : 1, steps: steps, notices: notices)
  }

  func index(_ reports: DeviceTypeReport...) -> IndexDocument { IndexDocument(request: Self.request, deviceTypes: reports) }

  /// Every kind of end, once.
  func everyEnd() throws -> IndexDocument {
    let source = StepResult(name: .source, outcome: .done, seconds: 1.25)
    return index(
      try report(
        "built", .built,
        steps: [
          source, .init(name: .feed, outcome: .failed, seconds: 2), .init(name: .source, outcome: .reused, seconds: 0.1),
          .init(name: .feed, outcome: .done, seconds: 30), .init(name: .image, outcome: .skipped, seconds: 0),
        ], notices: ["block a <left out> & so on"]),
      try report("reused", .reused, steps: [.init(name: .preload, outcome: .reused, seconds: 0)]),
      try report("skipped", .skipped, reason: "is discontinued"),
      try report(
        "failed", .failed, reason: "recipe acme-gpu failed in do_compile\nsecond line", failure: .build, details: ["one line", "the \"last\" line"],
        steps: [source, .init(name: .feed, outcome: .failed, seconds: 12)]),
      try report("gone", .failed, reason: "host arm-1 is lost", failure: .lost),
      try report("ended", .cancelled, reason: "cancelled", failure: .cancelled, steps: [source]))
  }

  @Test func saysWhatBecameOfEveryDeviceType() throws {
    try Golden.check("junit.xml", JUnitReport(everyEnd()).xml())
  }

  @Test func isReadByOtherPrograms() throws {
    let read = try readBack(JUnitReport(everyEnd()).xml())
    #expect(
      read == """
        built tests=3 failures=0 errors=0 skipped=1 time=33.35
        built source passed
        built feed passed
        built image skipped
        ended tests=2 failures=0 errors=1 skipped=0 time=1.25
        ended source passed
        ended build error cancelled: cancelled
        failed tests=2 failures=1 errors=0 skipped=0 time=13.25
        failed source passed
        failed feed failure build: recipe acme-gpu failed in do_compile
        gone tests=1 failures=0 errors=1 skipped=0 time=0.0
        gone build error lost: host arm-1 is lost
        reused tests=1 failures=0 errors=0 skipped=0 time=0.0
        reused preload passed
        skipped tests=1 failures=0 errors=0 skipped=1 time=0.0
        skipped build skipped

        """)
  }

  /// What a log may hold does not end the text, the element or the document, and stays readable.
  @Test func keepsHostileTextAsText() throws {
    let hostile = "]]></failure><x a='1'>&amp;<![CDATA[ \u{0}\u{1b}[31mred\u{7}\u{7f}\u{85}\u{fffe}\u{ffff} \u{1F600} e\u{301}\r\tend"
    let xml = JUnitReport(
      index(try report("board", .failed, reason: hostile + "\nmore", failure: .build, details: [hostile], notices: [hostile]))
    ).xml()
    let shown = "]]></failure><x a='1'>&amp;<![CDATA[ ␀␛[31mred␇␡\u{fffd}\u{fffd}\u{fffd} \u{1F600} e\u{301}\r\tend"
    let lines = try readBack(xml, "text").components(separatedBy: "\n=\n")
    #expect(lines.first == shown, "the message")
    #expect(lines.dropFirst().first == "\n\(shown)\nmore\n\(shown)\nlog: board/logs/attempt-2.log\n      ")
    #expect(lines.dropFirst(2).first == "\(shown)\n", "the notices")
  }

  @Test func isBounded() throws {
    let long = String(repeating: "<", count: 1 << 20)
    let reports = try (0..<20).map { number in
      try report(
        "board-\(number)", .failed, reason: long, failure: .build, details: Array(repeating: long, count: 50),
        steps: [.init(name: .feed, outcome: .failed, seconds: .infinity)], notices: Array(repeating: long, count: 1000))
    }
    let xml = JUnitReport(IndexDocument(request: Self.request, deviceTypes: reports)).xml()
    #expect(xml.utf8.count < 20 << 20)
    #expect(xml.contains("… (cut)"))
    #expect(xml.contains("… and 900 more"))
    #expect(try readBack(xml).contains("board-7 feed failure build"))
  }

  /// Checks the document with xmllint, reads it with junitparser, and returns a line per suite and case (or, with `text`, its texts).
  func readBack(_ xml: String, _ what: String = "summary") throws -> String {
    try withScratchDirectory { scratch in
      let file = scratch + "/junit.xml"
      try write(Array(xml.utf8), to: file)
      let checked = try Tool.end(of: ["xmllint", "--noout", "--huge", file])
      #expect(checked.status == 0, "\(checked.errors.prefix(500))")
      let script = """
        import sys
        from junitparser import JUnitXml, Failure, Error, Skipped
        import xml.etree.ElementTree as tree
        if sys.argv[2] == "text":
            root = tree.parse(sys.argv[1]).getroot()
            failure = root.find("testsuite/testcase/failure")
            sys.stdout.write("\\n=\\n".join([failure.get("message"), failure.text, root.find("testsuite/system-out").text]))
            sys.exit()
        for suite in JUnitXml.fromfile(sys.argv[1]):
            print(f"{suite.name} tests={suite.tests} failures={suite.failures} errors={suite.errors} skipped={suite.skipped} time={suite.time}")
            for case in suite:
                words = [suite.name, case.name] + [type(r).__name__.lower() for r in case.result] + ([] if case.result else ["passed"])
                for result in case.result:
                    if not isinstance(result, Skipped): words.append(f"{result.type}: {result.message[:200]}")
                print(*words)
        """
      // Debian's, which has junitparser.
      let environment = ["PATH": "/usr/bin:/bin", "PYTHONIOENCODING": "utf-8"]
      let read = try Tool.end(of: ["python3", "-c", script, file, what], environment: environment)
      #expect(read.status == 0, "\(read.errors.suffix(500))")
      return read.output
    }
  }
}
