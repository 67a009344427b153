extension BitbakeConsole {
  /// A bitbake task that complained or failed.
  package struct FailedTask: Sendable {
    /// As bitbake calls it in its error, for example `hello-fail-1.0-r0`; or taken from the recipe's file name.
    package let recipe: String
    package let task: String
    /// Where the task's own log is, as the build sees the path.
    package internal(set) var logfile: String?
    /// Whether bitbake said that it failed; some errors only complain.
    package internal(set) var hasFailed = false
    /// The first errors that it printed.
    var messages: [ConsoleMessage] = []
    /// What followed `Log data follows:`.
    var log = TaskLog()
    /// What the task's own log file says, where it did not follow.
    var ownLog: TaskLog?
    /// The URL that the recipe names, from the warning about it. Errors may name a mirror's.
    var url: String?
    /// Whether its own log would tell more: bitbake prints only those of shell tasks.
    package var needsLog: Bool { hasFailed && log.tail.isEmpty }

    init(recipe: String, task: String) {
      self.recipe = recipe
      self.task = task
    }

    private static let messageLimit = 8

    /// Takes an error of the task; false when there are enough.
    mutating func take(_ message: ConsoleMessage) -> Bool {
      guard messages.count < Self.messageLimit else { return false }
      messages.append(message)
      return true
    }
  }

  /// The end of a task's log, and what in all of it tells why the task failed.
  struct TaskLog: Sendable {
    private(set) var tail: [String] = []
    private(set) var telling = TellingLine()
    private(set) var hostLine: String?
    private(set) var pointsToNetwork = false
    /// The first lines that programs wrote; a fetcher tries the recipe's own URL first.
    private(set) var output: [String] = []

    mutating func read(_ line: String) {
      let isOfBitbake = ["DEBUG: ", "NOTE: ", "WARNING: ", "ERROR: "].contains(where: line.hasPrefix)
      let kept = ConsoleText.shortened(line, limit: 1000)
      if tail.count == 40 { tail.removeFirst() }
      tail.append(kept)
      if !isOfBitbake, output.count < 60 { output.append(kept) }
      telling.read(line)
      switch Suspect.inLine(line) {
      case .host: hostLine = hostLine ?? line
      case .network: pointsToNetwork = true
      case nil: break
      }
    }
  }
}

extension BitbakeConsole.FailedTask {
  /// Why it failed, and whom that points to; without a suspect it is the repository.
  var cause: (text: String?, suspect: Suspect?) {
    if var trouble = FetchTrouble.find(in: messages, output: ownLog?.output ?? []) {
      trouble.url = url ?? trouble.url
      return (trouble.sentence, hostLine == nil ? trouble.suspect : .host)
    }
    if let hostLine { return (Self.told(hostLine), .host) }
    // What a shell printed before it ended tells more than that it ended.
    let told = messages.lazy.compactMap(\.cause).first
    let logged = log.telling.text
    let own = ownLog.flatMap { $0.telling.isTelling ? $0.telling.text : nil }
    let text = log.telling.isTelling ? logged : told ?? logged ?? own
    let isNetwork = task.hasPrefix("do_fetch") || (log.pointsToNetwork || messages.contains(where: \.pointsToNetwork)) && !log.telling.isOfCompiler
    return (text, isNetwork ? .network : nil)
  }

  private var hostLine: String? { log.hostLine ?? messages.lazy.compactMap(\.hostLine).first ?? ownLog?.hostLine }

  private static func told(_ hostLine: String) -> String {
    let isKilled = ["exit code 137", "exit code '137'", "', 137, None", "', -9, None", "exit code -9"].contains(where: hostLine.contains)
    return isKilled ? "a program of it was killed (signal 9), perhaps for memory" : ConsoleText.joined([hostLine])
  }

  /// For a failure's details: the log, or the errors where there is none.
  var details: [String] {
    let lines = log.tail.isEmpty ? messages.flatMap { [ConsoleText.shortened($0.text, limit: 1000)] + $0.rest } : log.tail
    return lines + (logfile.map { ["task log: \($0)"] } ?? [])
  }
}
