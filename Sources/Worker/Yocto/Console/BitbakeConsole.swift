import FoundationEssentials
import Glibc

/// Reads the console of barys and bitbake, line by line, as they write when the output is no terminal.
///
/// Seen on barys 1.42.8 with bitbake 2.0; message texts of bitbake 1.40 to 2.8 besides. Lines that are not known are passed over.
package struct BitbakeConsole: Sendable {
  /// bitbake's own count: task `done` of `total`.
  package struct Progress: Hashable, Sendable {
    package var done: Int
    package var total: Int

    package init(done: Int, total: Int) {
      self.done = done
      self.total = total
    }
  }

  /// What the wrapper said at the end, by MACHINE; several manifests of one machine give several lines.
  package private(set) var succeeded: [String] = []
  package private(set) var failed: [String] = []
  /// Tasks that printed errors, in the order of their first ones.
  package private(set) var failedTasks: [FailedTask] = []
  /// Names that nothing provides, with what bitbake says about them.
  private(set) var unprovided: [UnprovidedName] = []
  /// The last error lines of bitbake and of the wrapper, at most 20.
  package private(set) var errors: [String] = []
  /// The last lines of all, at most 20.
  package private(set) var lastLines: [String] = []
  /// The first errors that belong to no task, at most 10.
  private(set) var messages: [ConsoleMessage] = []
  /// What the wrapper itself called an error.
  private(set) var wrapperError: String?
  /// What stood on the console outside of messages: the words of programs that are not bitbake.
  private(set) var words = TellingLine()
  /// A line outside of errors that points to the host, and one that points to the network.
  private(set) var hostLine: String?
  private(set) var networkLine: String?
  /// What the disk monitor warned of, once it has stopped bitbake.
  private(set) var diskMonitor: String?
  /// Whether a line held the text that proves a success.
  package private(set) var saidSuccess = false
  /// Whether the run ended without a word about why: bitbake loses the errors of its first seconds when its client is quicker than its server.
  package var saysNothing: Bool {
    messages.isEmpty && failedTasks.isEmpty && unprovided.isEmpty && diskMonitor == nil && hostLine == nil && networkLine == nil
      && wrapperError == nil && !words.isComplaint && !hasRunTasks
  }
  private var hasRunTasks = false
  /// Whether the last line showed that something goes on. `Bitbake still alive (no events for 600s)` and the tasks it lists say the opposite.
  package private(set) var showsLife = true

  private let successText: String?
  private var readsLog = false
  private var logTask = 0
  private var open = Open.nothing
  private var lowDisk: String?
  /// URLs that could not be fetched, by recipe and task.
  private var urls: [String: String] = [:]
  private var isInTraceback = false

  /// Where lines that follow an error belong.
  private enum Open { case nothing, task(Int), message, unprovided }

  /// `successText` is what a line must hold to prove a success, besides what barys says.
  package init(successText: String? = nil) { self.successText = successText }

  /// Takes one line. Returns the task count when the line tells one.
  package mutating func read(_ raw: String) -> Progress? {
    let line = ConsoleText.clean(raw)
    noteLife(line)
    Self.keep(line, in: &lastLines, limit: 20)
    if let successText, !saidSuccess { saidSuccess = line.withCString { strstr($0, successText) != nil } }
    if readsLog {
      // With BBINCLUDELOGS_LINES set, bitbake puts a blank before the bar.
      let bar = line.hasPrefix(" | ") ? line.dropFirst() : line[...]
      if bar.hasPrefix("| ") || bar == "|" {
        failedTasks[logTask].log.read(String(bar.dropFirst(2)))
        return nil
      }
      readsLog = false
    }
    if let (level, text) = Self.message(line) { return read(level, text) }
    if line == "Log data follows:" {
      readsLog = logTask < failedTasks.count
      open = .nothing
    } else if !readWrapper(line) {
      readFurther(line)
    }
    return nil
  }

  private mutating func noteLife(_ line: String) {
    if line.hasPrefix("Bitbake still alive (no events for ") {
      showsLife = false
    } else if showsLife || !line.contains(":do_") || line.hasPrefix("NOTE: ") || line.hasPrefix("ERROR: ") {
      showsLife = true
    }
  }

  // MARK: messages

  private enum Level: String, CaseIterable {
    case error = "ERROR: ", warning = "WARNING: ", note = "NOTE: ", debug = "DEBUG: ", summary = "Summary: "
  }

  /// A message begins a line, or follows the words of a progress bar: `Parsing recipes...ERROR: …`.
  private static func message(_ line: String) -> (Level, Substring)? {
    for level in Level.allCases {
      if line.hasPrefix(level.rawValue) { return (level, line.dropFirst(level.rawValue.count)) }
      if let range = line.firstRange(of: "..." + level.rawValue), line[..<range.lowerBound].allSatisfy({ $0.isLetter || $0 == " " }) {
        return (level, line[range.upperBound...])
      }
    }
    return progressBars.contains(where: line.hasPrefix) ? (.note, "") : nil
  }

  /// Lines that belong to no error before them.
  private static let progressBars = [
    "Loading cache", "Loaded ", "Parsing recipes", "Parsing of ", "Initialising tasks", "Sstate summary: ", "Checking sstate mirror",
    "Build Configuration",
  ]

  private mutating func read(_ level: Level, _ text: Substring) -> Progress? {
    open = .nothing
    isInTraceback = false
    switch level {
    case .note:
      if text.hasPrefix("Running ") {
        let progress = Self.progress(text)
        hasRunTasks = hasRunTasks || progress != nil
        return progress
      }
      if text.hasSuffix(": Failed") { noteFailed(text) }
    case .warning:
      if text.hasPrefix("The free space of ") || text.hasPrefix("The free inode of ") { lowDisk = String(text) }
      noteURL(text)
    case .error:
      Self.keep("ERROR: \(text)", in: &errors, limit: 20)
      readError(text)
    case .debug, .summary: break
    }
    return nil
  }

  /// `Running task 11 of 48 (…)`, `Running setscene task …`, `Running noexec task …`.
  private static func progress(_ text: Substring) -> Progress? {
    let words = text.prefix(80).split(separator: " ")
    guard let at = words.firstIndex(of: "task"), words.count > at + 3, words[at + 2] == "of", at <= 2,
      let done = Int(words[at + 1]), let total = Int(words[at + 3]), done > 0, done <= total
    else { return nil }
    return Progress(done: done, total: total)
  }

  private mutating func readError(_ text: Substring) {
    if text.contains("since the disk space monitor action is") {
      diskMonitor = diskMonitor ?? lowDisk ?? String(text)
    } else if let name = UnprovidedName(text) {
      if unprovided.count < 20, !unprovided.contains(where: { $0.name == name.name }) {
        unprovided.append(name)
        open = .unprovided
      }
    } else if text.hasPrefix("Logfile of failure stored in: ") {
      noteLogfile(text.dropFirst("Logfile of failure stored in: ".count))
    } else if text.hasPrefix("Task ("), text.contains(") failed") {
      readTaskError(text)
    } else {
      // `<recipe> do_<task>: <what>`
      let words = text.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
      if words.count >= 2, words[1].hasPrefix("do_"), words[1].hasSuffix(":") {
        guard let at = note(recipe: String(words[0]), task: String(words[1].dropLast())) else { return }
        if failedTasks[at].take(ConsoleMessage(words.count > 2 ? words[2] : "")) { open = .task(at) }
      } else if messages.count < 10 {
        messages.append(ConsoleMessage(text))
        open = .message
      }
    }
  }

  // MARK: tasks

  /// `<recipe> do_fetch: Failed to fetch URL <url>, attempting MIRRORS if available`
  private mutating func noteURL(_ text: Substring) {
    guard let start = text.firstRange(of: ": Failed to fetch URL "), let end = text[start.upperBound...].firstRange(of: ", attempting MIRRORS")
    else { return }
    let words = text[..<start.lowerBound].split(separator: " ")
    guard words.count == 2, words[1].hasPrefix("do_") else { return }
    if urls.count < 100 { urls["\(words[0]) \(words[1])"] = String(text[start.upperBound..<end.lowerBound]) }
  }

  /// Takes the end of a failed task's own log, which bitbake did not print.
  package mutating func readLog(_ lines: some Sequence<String>, ofTaskAt index: Int) {
    var log = TaskLog()
    for line in lines { log.read(ConsoleText.clean(line)) }
    failedTasks[index].ownLog = log
  }

  /// `Task (<recipe file>:do_compile) failed with exit code '1'`
  private mutating func readTaskError(_ text: Substring) {
    guard let end = text.firstRange(of: ") failed") else { return }
    let inside = text[..<end.lowerBound].dropFirst("Task (".count)
    guard let colon = inside.lastIndex(of: ":") else { return }
    let file = inside[..<colon].split(separator: "/").last ?? ""
    let name = file.hasSuffix(".bb") ? file.dropLast(3) : file
    let task = String(inside[inside.index(after: colon)...])
    let stem = name.split(separator: "_").first ?? name
    // bitbake has mostly named it before, by its package name and version.
    let known = failedTasks.firstIndex { $0.task == task && ($0.recipe == stem || $0.recipe.hasPrefix(stem + "-")) }
    guard let at = known ?? note(recipe: String(name), task: task) else { return }
    failedTasks[at].hasFailed = true
    if Suspect.lacksResources(String(text)) { hostLine = hostLine ?? String(text) }
  }

  /// `recipe <name>: task do_x: Failed`
  private mutating func noteFailed(_ text: Substring) {
    let words = text.split(separator: " ")
    guard words.count == 5, words[0] == "recipe", words[2] == "task" else { return }
    let (recipe, task) = (words[1].dropLast(), words[3].dropLast())
    if let at = failedTasks.firstIndex(where: { $0.recipe == recipe && $0.task == task }) { failedTasks[at].hasFailed = true }
  }

  /// `…/<recipe>/<version>/temp/log.do_x.<pid>`; tasks run beside each other, so that it need not be the last one that complained.
  private mutating func noteLogfile(_ path: Substring) {
    let parts = path.split(separator: "/").map(String.init)
    let file = (parts.last ?? "").split(separator: ".")
    let task = file.count >= 2 ? String(file[1]) : ""
    let name = parts.count >= 4 ? parts[parts.count - 4] : ""
    let isNamed = { (each: FailedTask) in each.task == task && (each.recipe == name || each.recipe.hasPrefix(name + "-")) }
    let known = failedTasks.firstIndex { isNamed($0) && $0.logfile == nil } ?? failedTasks.firstIndex(where: isNamed)
    let last = failedTasks.isEmpty ? nil : failedTasks.count - 1
    guard let at = known ?? (task.hasPrefix("do_") && !name.isEmpty ? note(recipe: name, task: task) : last) else { return }
    failedTasks[at].logfile = String(path)
    failedTasks[at].hasFailed = true
    logTask = at
  }

  private mutating func note(recipe: String, task: String) -> Int? {
    if let known = failedTasks.firstIndex(where: { $0.recipe == recipe && $0.task == task }) { return known }
    guard failedTasks.count < 100 else { return nil }
    failedTasks.append(FailedTask(recipe: recipe, task: task))
    failedTasks[failedTasks.count - 1].url = urls["\(recipe) \(task)"]
    return failedTasks.count - 1
  }

  // MARK: the wrapper, and everything else

  /// `[000000007][LOG]Build for <machine> suceeded.` (spelt so), `… failed. Check …`, `[…][ERROR]…`; `[INFO] …` of the container's script.
  private mutating func readWrapper(_ line: String) -> Bool {
    if line.hasPrefix("[INFO]") {
      open = .nothing
      return true
    }
    guard line.hasPrefix("["), let close = line.firstIndex(of: "]"), line[line.index(after: line.startIndex)..<close].allSatisfy(\.isNumber)
    else { return false }
    open = .nothing
    isInTraceback = false
    let rest = line[line.index(after: close)...]
    if rest.hasPrefix("[ERROR]") {
      Self.keep(line, in: &errors, limit: 20)
      wrapperError = wrapperError ?? String(rest.dropFirst("[ERROR]".count))
    } else if rest.hasPrefix("[LOG]Build for ") {
      let text = rest.dropFirst("[LOG]Build for ".count)
      let machine = String(text.prefix { $0 != " " })
      let verdict = text.dropFirst(machine.count + 1)
      if verdict.hasPrefix("suceeded.") || verdict.hasPrefix("succeeded.") { succeeded.append(machine) }
      if verdict.hasPrefix("failed.") { failed.append(machine) }
    }
    return true
  }

  /// A line without a mark: it belongs to the error before it, or to a program that is not bitbake.
  private mutating func readFurther(_ line: String) {
    switch open {
    case .task(let at): failedTasks[at].messages[failedTasks[at].messages.count - 1].append(line)
    case .message: messages[messages.count - 1].append(line)
    case .unprovided: unprovided[unprovided.count - 1].append(line)
    case .nothing:
      readWords(line)
      switch Suspect.inLine(line) ?? Suspect.inLineOfDocker(line) {
      case .host: hostLine = hostLine ?? line
      case .network: networkLine = networkLine ?? line
      case nil: break
      }
    }
  }

  private mutating func readWords(_ line: String) {
    if line == "Traceback (most recent call last):" { isInTraceback = true }
    // build-device-type-json.sh puts its own name before.
    if let mark = line.firstRange(of: ": ERROR - "), !isInTraceback {
      words.read(String(line[line.index(mark.lowerBound, offsetBy: 2)...]))
    } else {
      words.read(isInTraceback && !line.hasPrefix(" ") ? ConsoleMessage.withoutModule(line) : line)
    }
  }

  private static func keep(_ line: String, in lines: inout [String], limit: Int) {
    if lines.count == limit { lines.removeFirst() }
    lines.append(ConsoleText.shortened(line, limit: 1000))
  }
}
