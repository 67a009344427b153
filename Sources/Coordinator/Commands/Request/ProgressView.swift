import BuildModel
import Dispatch
import FarmService
import FoundationEssentials
import Glibc
import Reports

/// Shows a running request on standard error: a live table in a terminal, one line an event elsewhere.
///
/// Unchecked, because rows and timer are plain variables. Safe, because everything but `init` runs on the serial queue, the timer's handler too, and `init`
/// writes before anybody else has the object; drawing on the queue also keeps lines whole.
final class ProgressView: @unchecked Sendable {
  private struct Row {
    var host = ""
    var step = "waiting"
    var percent = ""
    var note = ""
    var startedAt = Timestamp.now
    var seconds: Double?
  }

  /// All state is used on this queue only.
  private let queue = DispatchQueue(label: "blockfarm.progress")
  private let isLive = Diagnostics.isTerminal
  private let showsPercent: Bool
  private var rows: [Slug: Row] = [:]
  private var drawnLines = 0
  private var timer: (any DispatchSourceTimer)?

  /// `showsPercent`: where there is no table, a line for every tenth of a step as well.
  init(showsPercent: Bool = false) {
    self.showsPercent = showsPercent
    guard isLive else { return }
    let timer = DispatchSource.makeTimerSource(queue: queue)
    timer.schedule(deadline: .now() + 0.2, repeating: 0.2)
    timer.setEventHandler { [weak self] in self?.draw() }
    timer.resume()
    self.timer = timer
  }

  func take(_ event: FarmEvent) { queue.sync { apply(event) } }

  func finish() {
    queue.sync {
      timer?.cancel()
      timer = nil
      erase()
    }
  }

  private func apply(_ event: FarmEvent) {
    switch event {
    case .notice(let text): line("note: " + text)
    case .requestStarted(let request, let tasks, let isResumed):
      for slug in tasks { rows[slug] = Row() }
      line("request \(request): \(Counted(tasks.count, "device type"))" + (isResumed ? ", resumed" : ""))
    case .host(let host, let text): line("host \(host) \(text)")
    case .waiting(let slug, let reasons):
      rows[slug]?.step = "waiting"
      let text = reasons.map(\.description).joined(separator: "; ")
      rows[slug]?.note = text
      plain("\(slug): waits: \(text.isEmpty ? "no host is configured" : text)")
    case .dispatched(let slug, let host, let attempt):
      rows[slug] = Row(host: host.text, step: "dispatched", note: "")
      plain("\(slug): attempt \(attempt) on \(host)")
    case .stepStarted(let slug, let step):
      rows[slug]?.step = step.rawValue
      rows[slug]?.percent = ""
      plain("\(slug): \(step.rawValue) …")
    case .progress(let slug, let step, let done, let total):
      let percent = total > 0 ? "\(Self.share(done, of: total, in: 100)) %" : ""
      let isNextTenth = Self.share(done, of: total, in: 10) != Self.share(done.addingSaturated(-1), of: total, in: 10)
      if showsPercent, total > 0, rows[slug]?.percent != percent, isNextTenth {
        plain("\(slug): \(step.rawValue) \(percent)")
      }
      rows[slug]?.percent = percent
    case .stepEnded(let slug, let result):
      plain("\(slug): \(result.name.rawValue) \(result.outcome.rawValue) after \(Self.text(result.seconds))")
    case .interrupted(let slug, let host, let reason):
      rows[slug]?.note = "link to \(host) lost, trying again"
      plain("\(slug): link to \(host) lost (\(reason)); the attempt goes on there")
    case .retrying(let slug, nil, let reason): line("\(slug): tried again on another host: \(reason)")
    case .retrying(let slug, let host?, let reason): line("\(slug): tried again on \(host), because no other host can build it: \(reason)")
    case .taskNotice(let slug, let text):
      // Notices are in index.json; in the table the newest one is enough.
      rows[slug]?.note = text
      plain("\(slug): \(text)")
    case .ended(let report):
      if let row = rows[report.slug] {
        rows[report.slug]?.step = report.outcome.rawValue
        rows[report.slug]?.percent = ""
        rows[report.slug]?.note = report.reason.map { String($0.prefix { $0 != "\n" }) } ?? ""
        rows[report.slug]?.seconds = Timestamp.now.seconds(since: row.startedAt)
      }
      plain("\(report.slug): \(report.end)")
    }
  }

  /// A line that stays, above the table.
  private func line(_ text: String) {
    erase()
    Diagnostics.print(text)
    draw()
  }

  /// A line only where there is no table.
  private func plain(_ text: String) { if !isLive { Diagnostics.print(text) } }

  private func erase() {
    guard drawnLines > 0 else { return }
    Diagnostics.write("\u{1b}[\(drawnLines)A\u{1b}[J")
    drawnLines = 0
  }

  private func draw() {
    guard isLive, timer != nil, !rows.isEmpty else { return }
    erase()
    var table = TextTable(["DEVICE TYPE", "STEP", "DONE", "HOST", "ELAPSED", ""])
    for (slug, row) in rows.sorted(by: { $0.key < $1.key }) {
      let elapsed = row.seconds ?? Timestamp.now.seconds(since: row.startedAt)
      table.rows.append([slug.text, row.step, row.percent, row.host, Self.text(elapsed), row.note])
    }
    var size = winsize()
    let columns = ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 ? Int(size.ws_col) : 80
    let height = size.ws_row > 2 ? Int(size.ws_row) - 2 : 50
    let lines = table.text().split(separator: "\n", omittingEmptySubsequences: false).prefix(height)
    for text in lines { Diagnostics.write(String(text.prefix(columns - 1)) + "\n") }
    drawnLines = lines.count
  }

  /// How many of `parts` equal parts are done. Both counts are a worker's: no more than all is done, and no less than nothing.
  static func share(_ done: Int, of total: Int, in parts: Int) -> Int {
    guard total > 0 else { return 0 }
    return total.dividingFullWidth(max(0, min(done, total)).multipliedFullWidth(by: parts)).quotient
  }

  static func text(_ seconds: Double) -> String {
    let tenths = Int(saturating: (max(0, seconds) * 10).rounded(.down))
    let whole = tenths / 10
    return whole < 60 ? "\(whole).\(tenths % 10) s" : "\(whole / 60):\(whole % 60 < 10 ? "0" : "")\(whole % 60)"
  }
}
