import BuildModel

/// A request's result as JUnit XML: a suite per device type, a case per step. Pure.
///
/// The elements and attributes are those that Jenkins' junit step reads and that the schema of its xUnit plugin (`junit-10.xsd`) allows;
/// `deploy/checks/junit.py` has the rules. A suite's time is its device type's, from its start to its end. What the build itself got wrong is a `failure`; what hosts,
/// links, the coordinator's disk or a person's wish ended is an `error`. Whose fault it is stands where each reader looks: as a property `blame`, before
/// the kind in `type` (`host.lost`), and in the text, which alone Jenkins' pages show. Every text is escaped and bounded, so that a hostile log stays text.
package struct JUnitReport: Sendable {
  private let index: IndexDocument
  /// The path of a device type's log for who reads the document; nil where there is no such file.
  private let logPath: @Sendable (Slug, RelativePath) -> String?

  /// Characters of a text that may hold several lines, and of a single line.
  private static let (textLimit, lineLimit) = (4096, 1024)
  /// Lines of a log and of notices that are shown.
  private static let (logLines, noticeLines) = (50, 100)

  /// `logPath` gives the path by which the reader of the document finds a log, nil where the file is not there; by default it is the one in the
  /// request's directory.
  package init(_ index: IndexDocument, logPath: @escaping @Sendable (Slug, RelativePath) -> String? = { "\($0)/\($1)" }) {
    self.index = index
    self.logPath = logPath
  }

  /// The document: UTF-8, ends with a newline.
  package func xml() -> String {
    let suites = index.deviceTypes.map(Suite.init)
    var text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    let problems = index.problems ?? []
    let unread = problems.map { _ in Suite.Case(name: "plan", verdict: .failed(isError: false)) }
    // Unlike a suite, the whole has no `skipped`.
    let counts = Self.counts(suites.flatMap(\.cases) + unread).filter { $0.0 != "skipped" }
    text += Self.open("testsuites", [("name", "blockfarm \(index.request)")] + counts + [("time", Self.seconds(wholeSeconds(suites)))])
    for suite in suites { text += xml(suite) }
    if !problems.isEmpty { text += Self.plan(problems, Self.counts(unread)) }
    return text + "</testsuites>\n"
  }

  /// From the first start to the last end, since device types are built side by side; the sum of the times where that is not known.
  private func wholeSeconds(_ suites: [Suite]) -> Double {
    guard let start = index.deviceTypes.compactMap(\.startedAt).min(), let end = index.deviceTypes.compactMap(\.endedAt).max() else {
      return suites.reduce(0) { $0 + $1.seconds }
    }
    return end.seconds(since: start)
  }

  /// The stages of one device type, each once, however many attempts there were.
  private struct Suite {
    struct Case {
      var name: String
      var seconds = 0.0
      var verdict = Verdict.passed
    }
    enum Verdict {
      case passed
      case skipped(String)
      /// `isError` where not the build is to blame.
      case failed(isError: Bool)
    }
    var report: DeviceTypeReport
    var cases: [Case] = []

    /// The last result of a step counts, its times add up. An end that belongs to no step is a case of its own, named `build`, which takes the
    /// time that no step took.
    init(_ report: DeviceTypeReport) {
      self.report = report
      for step in report.steps {
        if !cases.contains(where: { $0.name == step.name.rawValue }) { cases.append(Case(name: step.name.rawValue)) }
        guard let place = cases.firstIndex(where: { $0.name == step.name.rawValue }) else { continue }
        cases[place].seconds += step.seconds
        switch step.outcome {
        case .done, .reused: cases[place].verdict = .passed
        case .skipped: cases[place].verdict = .skipped("there was nothing to do")
        case .failed: cases[place].verdict = .failed(isError: Self.isError(report))
        }
      }
      switch report.outcome {
      case .built, .reused:
        // What failed in an earlier attempt was made good by a later one.
        for place in cases.indices { if case .failed = cases[place].verdict { cases[place].verdict = .passed } }
        if cases.isEmpty { cases = [Case(name: "build")] }
      case .skipped: cases = [Case(name: "build", verdict: .skipped(report.reason ?? "skipped"))]
      case .failed, .cancelled:
        let failed = cases.lastIndex { if case .failed = $0.verdict { true } else { false } }
        if failed == nil {
          let rest = max(0, seconds - cases.reduce(0) { $0 + $1.seconds })
          cases.append(Case(name: "build", seconds: rest, verdict: .failed(isError: Self.isError(report))))
        }
      }
    }

    /// What the device type took; what its steps took where its start or end is not known.
    var seconds: Double {
      if let start = report.startedAt, let end = report.endedAt { return end.seconds(since: start) }
      return cases.reduce(0) { $0 + $1.seconds }
    }

    private static func isError(_ report: DeviceTypeReport) -> Bool {
      switch report.failure {
      case .fetch, .infrastructure, .coordinator, .cloud, .lost, .cancelled: true
      case .build, .rejected, .timedOut: false
      case nil: report.outcome == .cancelled
      }
    }
  }

  private func xml(_ suite: Suite) -> String {
    let report = suite.report
    var attributes = [("name", report.slug.text)] + Self.counts(suite.cases) + [("time", Self.seconds(suite.seconds))]
    if let start = report.startedAt { attributes.append(("timestamp", "\(start)")) }
    if let host = report.host { attributes.append(("hostname", host.text)) }
    var text = "  " + Self.open("testsuite", attributes) + "    <properties>\n"
    let properties = [
      ("machine", report.machine.text), ("arch", report.arch.rawValue), ("version", report.version?.text ?? ""), ("outcome", report.outcome.rawValue),
      ("attempts", "\(report.attempts)"),
    ]
    let blame = report.blame.map { [("blame", $0.rawValue)] } ?? []
    for (name, value) in properties + blame { text += "      " + Self.open("property", [("name", name), ("value", value)], isEmpty: true) }
    text += "    </properties>\n"
    for item in suite.cases { text += xml(item, of: report) }
    if !report.notices.isEmpty { text += Self.output(report.notices) }
    return text + "  </testsuite>\n"
  }

  /// What could not be read belongs to no device type: a suite of its own.
  private static func plan(_ problems: [String], _ counts: [(String, String)]) -> String {
    var text = "  " + open("testsuite", [("name", "plan")] + counts)
    for (number, problem) in problems.enumerated() {
      text += "    " + open("testcase", [("classname", "blockfarm.plan"), ("name", "problem \(number + 1)"), ("time", seconds(0))])
      text += "      " + open("failure", [("message", firstLine(problem)), ("type", "rejected")])
      text += XMLEscaping.content(problem, limit: textLimit) + "\n      </failure>\n    </testcase>\n"
    }
    return text + "  </testsuite>\n"
  }

  private func xml(_ item: Suite.Case, of report: DeviceTypeReport) -> String {
    // Jenkins takes the text up to the last dot as the package: dots of a slug would tear it apart.
    let attributes = [
      ("classname", "blockfarm." + report.slug.text.replacing(".", with: "_")), ("name", item.name), ("time", Self.seconds(item.seconds)),
    ]
    switch item.verdict {
    case .passed: return "    " + Self.open("testcase", attributes, isEmpty: true)
    case .skipped(let reason):
      return "    " + Self.open("testcase", attributes) + "      " + Self.open("skipped", [("message", reason)], isEmpty: true) + "    </testcase>\n"
    case .failed(let isError):
      let name = isError ? "error" : "failure"
      let reason = report.reason ?? report.outcome.rawValue
      var text = "    " + Self.open("testcase", attributes) + "      "
      let kind = report.failure?.rawValue ?? report.outcome.rawValue
      text += Self.open(name, [("message", Self.firstLine(reason)), ("type", report.blame.map { "\($0.rawValue).\(kind)" } ?? kind)])
      if report.blame != nil { text += XMLEscaping.content(report.verdict, limit: Self.lineLimit) + ":\n" }
      text += XMLEscaping.content(reason, limit: Self.textLimit) + "\n"
      for line in report.details.suffix(Self.logLines) { text += XMLEscaping.content(line, limit: Self.lineLimit) + "\n" }
      for log in [report.log].compactMap(\.self) + (report.taskLogs ?? []).map(\.path) {
        if let path = logPath(report.slug, log) { text += "log: " + XMLEscaping.content(path, limit: Self.textLimit) + "\n" }
      }
      return text + "      </\(name)>\n    </testcase>\n"
    }
  }

  private static func output(_ notices: [String]) -> String {
    var text = "    <system-out>"
    for notice in notices.prefix(noticeLines) { text += XMLEscaping.content(notice, limit: lineLimit) + "\n" }
    if notices.count > noticeLines { text += "… and \(notices.count - noticeLines) more\n" }
    return text + "</system-out>\n"
  }

  private static func counts(_ cases: [Suite.Case]) -> [(String, String)] {
    var (failures, errors, skipped) = (0, 0, 0)
    for item in cases {
      switch item.verdict {
      case .passed: break
      case .skipped: skipped += 1
      case .failed(let isError): if isError { errors += 1 } else { failures += 1 }
      }
    }
    return [
      ("tests", "\(cases.count)"), ("failures", "\(failures)"), ("errors", "\(errors)"), ("skipped", "\(skipped)"),
    ]
  }

  private static func open(_ name: String, _ attributes: [(String, String)], isEmpty: Bool = false) -> String {
    let list = attributes.map { " \($0)=\"\(XMLEscaping.attribute($1, limit: lineLimit))\"" }.joined()
    return "<\(name)\(list)\(isEmpty ? "/" : "")>\n"
  }

  private static func firstLine(_ text: String) -> String { String(text.prefix { $0 != "\n" && $0 != "\r\n" }) }

  /// Seconds with three digits behind the point. A worker's number may be anything.
  static func seconds(_ value: Double) -> String {
    guard value.isFinite, value >= 0, value < 1e12 else { return "0.000" }
    let milliseconds = Int64((value * 1000).rounded())
    let rest = String(milliseconds % 1000)
    return "\(milliseconds / 1000)." + String(repeating: "0", count: 3 - rest.count) + rest
  }
}
