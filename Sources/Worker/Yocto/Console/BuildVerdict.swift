import BuildModel
import FoundationEssentials
import Processes

/// Decides whether a run of the wrapper built what it should, and if not, why and whose fault it is. The wrapper's exit status alone proves nothing:
/// the container wrapper ends 0 after a failure.
package enum BuildVerdict {
  /// nil when the run is a success: exit 0, what `proof` demands, no failure line, no failed task, nothing unprovided.
  ///
  /// - Parameters:
  ///   - what: what the run was for, for example `bitbake acme-firmware os-release`.
  ///   - log: where the whole console is, for people.
  ///   - wasOutOfMemory: whether the kernel ended a process for memory during the run.
  package static func judge(
    _ end: ChildEnd, console: BitbakeConsole, proof: SuccessProof, machine: Machine, step: Step, what: String, log: String,
    wasOutOfMemory: Bool
  ) -> Failure? {
    let looksFailed = !console.failedTasks.isEmpty || !console.unprovided.isEmpty || !console.failed.isEmpty
    let isProved =
      switch proof {
      case .barys: console.succeeded.contains(machine.text)
      case .status(let line): line == nil || console.saidSuccess
      }
    if end == .exited(0), !looksFailed, isProved { return nil }
    let lie = end == .exited(0) && looksFailed ? " (the build wrapper nevertheless ended with status 0)" : ""
    func failure(_ finding: Finding) -> Failure {
      Failure(kind: finding.kind, step: step, reason: finding.reason + lie, details: Array(finding.details.suffix(49)) + ["console log: \(log)"])
    }
    switch end {
    case .cancelled: return failure(Finding(.cancelled, "cancelled during \(what)", []))
    case .silent: return failure(Finding(.timedOut, "\(what) wrote nothing for too long", console.lastLines))
    case .overdue: return failure(Finding(.timedOut, "\(what) passed the attempt's time limit", console.lastLines))
    case .exited, .signalled: break
    }
    let found = finding(in: console, what: what, end: end)
    if wasOutOfMemory || end == .signalled(9), found?.kind != .infrastructure {
      let cause = found.map { "; \($0.reason)" } ?? ""
      return failure(Finding(.infrastructure, "\(what): the kernel ended a process for memory\(cause)", console.errors + console.lastLines))
    }
    return failure(found ?? unexplained(end, console, proof: proof, machine: machine, what: what))
  }

  /// The failure of a run whose bitbake waits for a server that ended.
  package static func serverIsGone(console: BitbakeConsole, step: Step, what: String, log: String) -> Failure {
    Failure(
      kind: .infrastructure, step: step,
      reason: "\(what): bitbake's server process ended while bitbake waited for it; it was killed, perhaps for memory",
      details: console.lastLines + ["console log: \(log)"])
  }

  /// What a console says about a run that failed.
  private struct Finding {
    var kind: Failure.Kind
    var reason: String
    var details: [String]

    init(_ kind: Failure.Kind, _ reason: String, _ details: [String]) {
      self.kind = kind
      self.reason = reason
      self.details = details
    }
  }

  private static func kind(of suspect: Suspect?) -> Failure.Kind {
    switch suspect {
    case .host: .infrastructure
    case .network: .fetch
    case nil: .build
    }
  }

  /// The cause, from what tells most: what stopped bitbake as a whole, the first failed task, the first error of no task, the words of other programs.
  private static func finding(in console: BitbakeConsole, what: String, end: ChildEnd) -> Finding? {
    let lines = console.errors + console.lastLines
    if let warning = console.diskMonitor { return Finding(.infrastructure, "\(what): bitbake's disk monitor stopped it: \(warning)", lines) }
    let ended = if case .exited(let status) = end, status != 0 { "\(what) ended with status \(status): " } else { "\(what): " }
    if let task = console.failedTasks.first(where: \.hasFailed) ?? console.failedTasks.first {
      let (text, suspect) = task.cause
      let others = console.failedTasks.count { $0.hasFailed && !($0.recipe == task.recipe && $0.task == task.task) }
      let more = others == 0 ? "" : " (\(others) more task\(others == 1 ? "" : "s") failed)"
      let host = suspect == nil ? console.stoppingMessage : nil
      if let host { return Finding(.infrastructure, ended + host, lines) }
      return Finding(kind(of: suspect), "recipe \(task.recipe) failed in \(task.task)\(text.map { ": \($0)" } ?? "")\(more)", task.details)
    }
    if let name = console.unprovided.first { return Finding(.build, name.sentence, console.errors) }
    if let host = console.stoppingMessage { return Finding(.infrastructure, ended + host, lines) }
    if let trouble = FetchTrouble.find(in: console.messages) {
      return Finding(kind(of: trouble.suspect), ended + trouble.sentence + console.parsedFile, lines)
    }
    if let message = console.messages.first(where: { $0.cause != nil && $0.hostLine == nil }), let cause = message.cause {
      return Finding(kind(of: message.pointsToNetwork ? .network : nil), ended + console.completed(cause, after: message), lines)
    }
    if let line = console.hostLine { return Finding(.infrastructure, ended + told(line, by: console), lines) }
    if let line = console.networkLine { return Finding(.fetch, ended + told(line, by: console), lines) }
    if let error = console.wrapperError {
      let suspect = Suspect.inLine(error)
      return Finding(kind(of: suspect), ended + error, lines)
    }
    if console.words.isComplaint, let text = console.words.text { return Finding(.build, ended + text, lines) }
    return nil
  }

  /// The words of a program, where they hold the line that points to somebody; else the line alone.
  private static func told(_ line: String, by console: BitbakeConsole) -> String {
    guard console.words.isComplaint, let text = console.words.text, Suspect.inLine(text) != nil else { return ConsoleText.joined([line]) }
    return text
  }

  /// An end that no line explains.
  private static func unexplained(_ end: ChildEnd, _ console: BitbakeConsole, proof: SuccessProof, machine: Machine, what: String) -> Finding {
    switch end {
    case .exited(0) where console.failed.contains(machine.text):
      return Finding(.build, "\(what): the build for \(machine) failed", console.errors + console.lastLines)
    case .exited(0) where proof != .barys:
      return Finding(.build, "\(what): the build command ended with status 0 but did not print its success line", console.lastLines)
    case .exited(0):
      let said = console.succeeded.isEmpty ? "no machine" : console.succeeded.joined(separator: ", ")
      return Finding(.build, "\(what): the build wrapper ended with status 0 but reported success for \(said), not for \(machine)", console.lastLines)
    case .exited(let status): return Finding(.build, "\(what) ended with status \(status)", console.errors + console.lastLines)
    case .signalled(let signal): return Finding(.infrastructure, "\(what) was ended by signal \(signal)", console.lastLines)
    case .silent, .overdue, .cancelled: return Finding(.timedOut, "\(what) did not end", console.lastLines)
    }
  }
}

extension BitbakeConsole {
  /// The first error of no task that points to the host, whatever else went wrong.
  fileprivate var stoppingMessage: String? {
    // A server that cannot start says in its log why. What it cannot parse is the repository's.
    let isServer = messages.first?.text.hasPrefix("Unable to start bitbake server") == true
    if isServer, messages.contains(where: { $0.parsedFile != nil || $0.text.hasPrefix("ParseError ") }) { return nil }
    let found = isServer ? messages.last { $0.exception != nil } : nil
    guard let message = found ?? messages.first(where: { $0.hostLine != nil }) else { return nil }
    guard let cause = message.cause else { return message.hostLine.map { ConsoleText.joined([ConsoleMessage.withoutModule($0)]) } }
    return completed(cause, after: message)
  }

  /// Errors that end in a colon go on in the next one.
  fileprivate func completed(_ cause: String, after message: ConsoleMessage) -> String {
    guard cause.hasSuffix(":"), let at = messages.firstIndex(where: { $0.text == message.text }), at + 1 < messages.count else { return cause }
    return ConsoleText.joined([cause, messages[at + 1].text])
  }

  /// For an error that came while a recipe was parsed.
  fileprivate var parsedFile: String {
    guard let file = messages.lazy.compactMap(\.parsedFile).first(where: { !$0.hasSuffix(".py") }) else { return "" }
    return " (while parsing \(file))"
  }
}
