import FoundationEssentials
import Glibc

/// Reads the console of barys and bitbake, line by line, as they write when the output is no terminal.
///
/// Seen on barys 1.42.8 with bitbake 2.0; lines that are not known are passed over.
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

  /// A bitbake task that failed.
  package struct FailedTask: Hashable, Sendable {
    /// As bitbake calls it in its error, for example `hello-fail-1.0-r0`; or taken from the recipe's file name.
    package var recipe: String
    package var task: String
    package var logfile: String?
    /// What followed `Log data follows:`, at most the last 40 lines, without the leading bar.
    package var log: [String] = []
  }

  /// What the wrapper said at the end, by MACHINE; several manifests of one machine give several lines.
  package private(set) var succeeded: [String] = []
  package private(set) var failed: [String] = []
  package private(set) var failedTasks: [FailedTask] = []
  /// Targets that nothing provides.
  package private(set) var unprovided: [String] = []
  /// The last error lines of bitbake and of the wrapper, at most 20.
  package private(set) var errors: [String] = []
  /// The last lines of all, at most 20.
  package private(set) var lastLines: [String] = []
  /// A line that says that the host, not the build, is at fault: a full disk, no memory.
  package private(set) var hostTrouble: String?
  /// Whether a line held the text that proves a success.
  package private(set) var saidSuccess = false
  private let successText: String?
  private var readsLog = false

  /// `successText` is what a line must hold to prove a success, besides what barys says.
  package init(successText: String? = nil) { self.successText = successText }

  /// Takes one line. Returns the task count when the line tells one.
  package mutating func read(_ line: String) -> Progress? {
    Self.keep(line, in: &lastLines, limit: 20)
    noteHostTrouble(line)
    if let successText, !saidSuccess { saidSuccess = line.withCString { strstr($0, successText) != nil } }
    if readsLog {
      if line.hasPrefix("| ") || line == "|" {
        Self.keep(String(line.dropFirst(2)), in: &failedTasks[failedTasks.count - 1].log, limit: 40)
        return nil
      }
      readsLog = false
    }
    if line.hasPrefix("NOTE: Running ") { return Self.progress(line) }
    if line.hasPrefix("ERROR: ") {
      Self.keep(line, in: &errors, limit: 20)
      readError(line.dropFirst("ERROR: ".count))
    } else if line == "Log data follows:" {
      readsLog = !failedTasks.isEmpty
    } else if line.hasPrefix("[") {
      readWrapper(line)
    }
    return nil
  }

  /// `Running task 11 of 48 (…)`, `Running setscene task …`, `Running noexec task …`.
  private static func progress(_ line: String) -> Progress? {
    let words = line.prefix(80).split(separator: " ")
    guard let at = words.firstIndex(of: "task"), words.count > at + 3, words[at + 2] == "of", at <= 3,
      let done = Int(words[at + 1]), let total = Int(words[at + 3]), done > 0, done <= total
    else { return nil }
    return Progress(done: done, total: total)
  }

  private mutating func readError(_ text: Substring) {
    if let name = Self.between("Nothing PROVIDES '", "'", in: text) ?? Self.between("Nothing RPROVIDES '", "'", in: text) {
      if !unprovided.contains(name) { unprovided.append(name) }
    } else if text.hasPrefix("Logfile of failure stored in: ") {
      if !failedTasks.isEmpty { failedTasks[failedTasks.count - 1].logfile = String(text.dropFirst("Logfile of failure stored in: ".count)) }
    } else if text.hasPrefix("Task (") {
      readTaskError(text)
    } else {
      // `<recipe> do_<task>: <what>`
      let words = text.split(separator: " ", maxSplits: 2)
      guard words.count >= 2, words[1].hasPrefix("do_"), words[1].hasSuffix(":") else { return }
      note(recipe: String(words[0]), task: String(words[1].dropLast()))
    }
  }

  /// `Task (<recipe file>:do_compile) failed with exit code '1'`
  private mutating func readTaskError(_ text: Substring) {
    guard text.contains(") failed"), let inside = Self.between("Task (", ") failed", in: text),
      let colon = inside.lastIndex(of: ":")
    else { return }
    let file = inside[..<colon].split(separator: "/").last ?? ""
    let name = file.hasSuffix(".bb") ? file.dropLast(3) : file
    let task = String(inside[inside.index(after: colon)...])
    let stem = name.split(separator: "_").first ?? name
    // bitbake has mostly named it before, by its package name and version.
    if failedTasks.contains(where: { $0.task == task && ($0.recipe == stem || $0.recipe.hasPrefix(stem + "-")) }) { return }
    note(recipe: String(name), task: task)
  }

  private mutating func note(recipe: String, task: String) {
    if failedTasks.contains(where: { $0.recipe == recipe && $0.task == task }) || failedTasks.count == 100 { return }
    failedTasks.append(FailedTask(recipe: recipe, task: task, logfile: nil))
  }

  /// `[000000007][LOG]Build for <machine> suceeded.` (spelt so), `… failed. Check …`, `[…][ERROR]…`
  private mutating func readWrapper(_ line: String) {
    guard let close = line.firstIndex(of: "]"), line[line.index(after: line.startIndex)..<close].allSatisfy(\.isNumber) else { return }
    let rest = line[line.index(after: close)...]
    if rest.hasPrefix("[ERROR]") {
      Self.keep(line, in: &errors, limit: 20)
    } else if rest.hasPrefix("[LOG]Build for ") {
      let text = rest.dropFirst("[LOG]Build for ".count)
      let machine = String(text.prefix { $0 != " " })
      let verdict = text.dropFirst(machine.count + 1)
      if verdict.hasPrefix("suceeded.") || verdict.hasPrefix("succeeded.") { succeeded.append(machine) }
      if verdict.hasPrefix("failed.") { failed.append(machine) }
    }
  }

  private mutating func noteHostTrouble(_ line: String) {
    guard hostTrouble == nil else { return }
    for sign in [
      "No space left on device", "Disk quota exceeded", "Killed signal terminated program", "failed with exit code '137'",
      "Cannot allocate memory", "No new tasks can be executed since the disk space monitor action is",
    ] where line.withCString({ strstr($0, sign) }) != nil {
      hostTrouble = String(line.prefix(300))
      return
    }
  }

  private static func keep(_ line: String, in lines: inout [String], limit: Int) {
    if lines.count == limit { lines.removeFirst() }
    lines.append(String(line.prefix(1000)))
  }

  private static func between(_ before: String, _ after: String, in text: Substring) -> String? {
    guard let start = text.firstRange(of: before), let end = text[start.upperBound...].firstRange(of: after) else { return nil }
    return String(text[start.upperBound..<end.lowerBound])
  }
}
