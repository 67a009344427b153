import BuildModel
import Foundation
import Reports
import TestFiles
import TestGolden
import TestPeers
import Testing

/// JUnit XML, read by xmllint and by Python's junitparser, and checked by the rules of Jenkins' own readers.
struct JUnitReportTests {
  static let request = RequestID("01900000-0000-7000-8000-000000000000")!

  func report(
    _ slug: String, _ outcome: DeviceTypeReport.Result, reason: String? = nil, failure: Failure.Kind? = nil, details: [String] = [],
    steps: [StepResult] = [], notices: [String] = [], taskLogs: [DeviceTypeReport.File]? = nil, from start: Double? = nil, to end: Double? = nil
  ) throws -> DeviceTypeReport {
    var report = DeviceTypeReport(
      slug: try Slug(slug), machine: try Machine(slug), arch: .aarch64, version: OSVersion("6.1.24+rev3")!, outcome: outcome, reason: reason,
      failure: failure, details: details, log: outcome == .failed ? RelativePath("logs/attempt-2.log") : nil,
      taskLogs: taskLogs, host: outcome == .skipped ? nil : try HostName("arm-1"), attempts: outcome == .skipped ? 0 : 1, steps: steps,
      notices: notices)
    (report.startedAt, report.endedAt) = (start.map(Timestamp.init(seconds:)), end.map(Timestamp.init(seconds:)))
    return report
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
        ], notices: ["block a <left out> & so on"], from: 1_700_000_000, to: 1_700_000_040.5),
      try report("reused", .reused, steps: [.init(name: .preload, outcome: .reused, seconds: 0)], from: 1_700_000_001, to: 1_700_000_002),
      try report("skipped", .skipped, reason: "is discontinued"),
      try report(
        "failed", .failed, reason: "recipe acme-gpu failed in do_compile\nsecond line", failure: .build, details: ["one line", "the \"last\" line"],
        steps: [source, .init(name: .feed, outcome: .failed, seconds: 12)], taskLogs: [try taskLog()], from: 1_700_000_010, to: 1_700_000_030),
      try report("gone", .failed, reason: "host arm-1 is lost", failure: .lost, from: 1_700_000_020, to: 1_700_003_620),
      try report("ended", .cancelled, reason: "cancelled", failure: .cancelled, steps: [source]))
  }

  private func taskLog() throws -> DeviceTypeReport.File {
    let path = try #require(RelativePath("logs/attempt-2.acme-gpu.log.do_compile"))
    return .init(path: path, digest: try #require(Digest("sha256:" + String(repeating: "0", count: 64))), size: 1)
  }

  @Test func saysWhatBecameOfEveryDeviceType() throws {
    try Golden.check("junit.xml", JUnitReport(everyEnd()).xml())
  }

  @Test func isReadByOtherPrograms() throws {
    let read = try readBack(JUnitReport(everyEnd()).xml())
    #expect(
      read == """
        built tests=3 failures=0 errors=0 skipped=1 time=40.5
        built source passed
        built feed passed
        built image skipped
        ended tests=2 failures=0 errors=1 skipped=0 time=1.25
        ended source passed
        ended build error cancelled: cancelled
        failed tests=2 failures=1 errors=0 skipped=0 time=20.0
        failed source passed
        failed feed failure build: recipe acme-gpu failed in do_compile
        gone tests=1 failures=0 errors=1 skipped=0 time=3600.0
        gone build error lost: host arm-1 is lost
        reused tests=1 failures=0 errors=0 skipped=0 time=1.0
        reused preload passed
        skipped tests=1 failures=0 errors=0 skipped=1 time=0.0
        skipped build skipped

        """)
  }

  /// Whose fault a failure is stands in a property, in the type, and in the text that people see.
  @Test func saysWhoseFaultItIs() throws {
    var lost = try report("gone", .failed, reason: "host arm-1 is lost", failure: .lost)
    lost.blame = .host
    var recipe = try report("broken", .failed, reason: "recipe a failed", failure: .build)
    recipe.blame = .repository
    let xml = JUnitReport(index(lost, recipe)).xml()
    #expect(xml.contains("<property name=\"blame\" value=\"host\"/>") && xml.contains("<property name=\"blame\" value=\"repository\"/>"))
    #expect(xml.contains("type=\"host.lost\">\nfailed (host arm-1):\nhost arm-1 is lost\n"), "\(xml)")
    #expect(xml.contains("type=\"repository.build\">\nfailed (repository):\nrecipe a failed\n"), "\(xml)")
    try withScratchDirectory { scratch in
      try write(Array(xml.utf8), to: scratch + "/junit.xml")
      let ended = try Tool.end(of: ["python3", Project.path + "/deploy/checks/junit.py", scratch + "/junit.xml"])
      #expect(ended.status == 0, "\(ended)")
    }
  }

  /// A log is named by the path at which the reader finds it, and not at all where it is not there.
  @Test func namesTheLogsThatAreThere() throws {
    let failed = try report("board", .failed, reason: "no", failure: .build, taskLogs: [try taskLog()])
    let xml = JUnitReport(index(failed)) { slug, log in log.text.hasSuffix("do_compile") ? nil : "elsewhere/\(slug)/\(log)" }.xml()
    #expect(xml.contains("\nno\nlog: elsewhere/board/logs/attempt-2.log\n      </failure>"))
    #expect(JUnitReport(index(failed)).xml().contains("log: board/logs/attempt-2.log\nlog: board/logs/attempt-2.acme-gpu.log.do_compile\n"))
  }

  /// What could not be read belongs to no device type: a suite of its own, which Jenkins' readers take.
  @Test func listsWhatCouldNotBeRead() throws {
    var index = try everyEnd()
    index.problems = ["acme.coffee:2: a text has no closing '", "repository <gone> is no git checkout\nsecond line"]
    let xml = JUnitReport(index).xml()
    let read = try readBack(xml)
    #expect(read.contains("plan tests=2 failures=2 errors=0 skipped=0"), "\(read)")
    #expect(read.contains("plan problem 1 failure rejected: acme.coffee:2: a text has no closing '"))
    #expect(read.contains("plan problem 2 failure rejected: repository <gone> is no git checkout\n"))
    try withScratchDirectory { scratch in
      try write(Array(xml.utf8), to: scratch + "/junit.xml")
      let ended = try Tool.end(of: ["python3", Project.path + "/deploy/checks/junit.py", scratch + "/junit.xml"])
      #expect(ended.status == 0, "\(ended)")
    }
  }

  /// deploy/checks/junit.py refuses what Jenkins' readers refuse or misread.
  @Test(arguments: [
    ("<testsuites name=\"", "<testsuites skipped=\"2\" name=\"", "'testsuites' has no attribute 'skipped'"),
    (" errors=\"0\" skipped=\"1\" time", " skipped=\"1\" time", "'testsuite' needs the attribute 'errors'"),
    ("time=\"1.350\"", "time=\"1 s\"", "time '1 s' is no number of seconds"),
    ("time=\"40.500\"", "time=\"1e3\"", "time '1e3' is no number of seconds"),
    ("<skipped message=\"there was nothing to do\"/>", "<ignored/>", "there is no element 'ignored'"),
    ("<properties>", "<properties>text", "'properties' cannot hold text"),
    ("tests=\"3\"", "tests=\"4\"", "tests='4', but there are 3"),
    ("name=\"feed\" time=\"32.000\"", "name=\"source\" time=\"32.000\"", "case blockfarm.built.source is there twice"),
    (
      "</testsuites>", "<testsuite name=\"skipped\" tests=\"0\" failures=\"0\" errors=\"0\"/></testsuites>",
      "is there twice, so Jenkins leaves one out"
    ),
    ("</testsuites>", "", "no element found"),
  ])
  func theCheckRefuses(_ old: String, _ new: String, _ complaint: String) throws {
    let good = try JUnitReport(everyEnd()).xml()
    try #require(good.contains(old), "\(old)")
    try withScratchDirectory { scratch in
      let place = try #require(good.range(of: old))
      try write(Array(good.replacingCharacters(in: place, with: new).utf8), to: scratch + "/junit.xml")
      let ended = try Tool.end(of: ["python3", Project.path + "/deploy/checks/junit.py", scratch + "/junit.xml"])
      #expect(ended.status == 1 && ended.output.contains(complaint), "\(ended)")
    }
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
      let valid = try Tool.end(of: ["python3", Project.path + "/deploy/checks/junit.py", file])
      #expect(valid.status == 0, "\(valid.output.prefix(500))")
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
