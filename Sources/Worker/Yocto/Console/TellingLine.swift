/// Finds, in the output of a command that failed, the line that says why. Feed it the lines in their order.
///
/// A compiler's first error counts, since the others follow from it. Of what other programs complain about, the last counts: the first may have been
/// harmless (`fatal: not a git repository`), and the run ended right after the last. Without any, the last line counts.
struct TellingLine: Sendable {
  /// How much a line tells.
  private enum Rank: Int, Comparable {
    case none, anything, consequence, hint, complaint, diagnosis, compiler
    static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
    /// Whether the first line of this rank counts, else the last.
    var firstCounts: Bool { self >= .diagnosis || self == .consequence }
  }

  private var rank = Rank.none
  private var lines: [String] = []
  /// Whether lines that follow belong to the line, which ends in a colon: the indented ones, or one.
  private var isOpen = false
  private var isInTraceback = false

  /// The line, with what belongs to it.
  var text: String? { lines.isEmpty ? nil : ConsoleText.joined(lines) }
  /// Whether it is more than the last line.
  var isTelling: Bool { rank >= .consequence }
  /// Whether a person or program says in it what is wrong.
  var isComplaint: Bool { rank >= .complaint }
  /// Whether it names a place in a source.
  var isOfCompiler: Bool { rank == .compiler }

  static func best(in lines: [String]) -> TellingLine {
    var telling = TellingLine()
    for line in lines { telling.read(line) }
    return telling
  }

  mutating func read(_ line: String) {
    let isIndented = line.hasPrefix(" ")
    if isOpen {
      let isBlank = line.allSatisfy { $0 == " " }
      if isBlank, lines.count == 1 { return }
      isOpen = isIndented && !isBlank && lines.count < 6
      if isOpen || !isBlank && lines.count == 1 && Self.rank(of: line) != .none {
        lines.append(line)
        return
      }
    }
    if line == "Traceback (most recent call last):" {
      isInTraceback = true
      return
    }
    if isInTraceback {
      if isIndented || line.isEmpty { return }
      isInTraceback = false
      take(line, .complaint)
      return
    }
    take(line, Self.rank(of: line))
  }

  private mutating func take(_ line: String, _ new: Rank) {
    let line = ConsoleText.shortened(line, limit: 1000)
    guard new > rank || new == rank && !new.firstCounts, new != .none else { return }
    rank = new
    lines = [line]
    isOpen = new >= .complaint && line.hasSuffix(":")
  }

  // MARK: ranks

  private static let noise = [
    "DEBUG: ", "NOTE: ", "WARNING: ", "+ ", "checking ", "-- ", "ERROR: Function failed", "ERROR: Execution of",
    "ERROR: Task ", "npm WARN", "npm warn", "npm notice", "compilation terminated.", "cc1: some warnings", "Deleted: ",
  ]
  private static let complaints = [
    "command not found", ": not found", "No such file or directory", "ermission denied", "Killed", "Error response from daemon",
    "error during connect", "Cannot connect to", "annot allocate memory", "No space left on device", "Segmentation fault", "panic: ",
    "No rule to make target",
    "Couldn't find", "nothing provides",
  ]
  private static let hints = ["ould not ", "annot ", "nable to ", "ailed to ", "No package '"]
  private static let complaintStarts = ["error: ", "Error: ", "ERROR: ", "ERROR - ", "fatal: ", "fatal error", "FATAL", "E: ", "Fatal: "]

  private static func rank(of line: String) -> Rank {
    if line.allSatisfy({ $0 == " " || $0 == "-" || $0 == "=" || $0 == "^" || $0 == "|" || $0 == "~" }) { return .none }
    if noise.contains(where: line.hasPrefix) || line.hasSuffix("(ignored)") { return .none }
    // `ERROR: oe_runmake failed`, `ERROR: configure failed`: a class sums up.
    if line.hasPrefix("ERROR: "), line.hasSuffix(" failed"), line.count < 40 { return .none }
    if let words = npm(line) { return isOfNpm(words) ? .diagnosis : .none }
    if isOfCompiler(line) { return .compiler }
    let isOfPatch = ["FAILED at ", "can't find file to patch", "malformed patch"].contains(where: line.contains)
    if isOfPatch || line.hasPrefix("CMake Error") { return .diagnosis }
    if line.hasPrefix(" * ") { return isOfOpkg(line) ? .diagnosis : .none }
    if line.hasPrefix("collect2: error: ld returned") || line.contains(": *** ") && line.contains("Error ") || line.hasPrefix("ninja: ") {
      return .consequence
    }
    if complaintStarts.contains(where: line.hasPrefix) || complaints.contains(where: line.contains) { return .complaint }
    // The shell's own words: `…/temp/run.do_compile.4: 109: local: -a: bad variable name`.
    if line.contains(" error: ") || line.contains(" fatal error: ") || line.contains("/run.do_") { return .complaint }
    return hints.contains(where: line.contains) && !line.contains("level=") ? .hint : .anything
  }

  /// `src/main.c:17:3: error: …`, `boot.s:12: Error: …`, `meson.build:1:0: ERROR: …`, `main.go:12:2: undefined: …`, `error[E0425]: …`,
  /// `main.c:(.text+0x12): undefined reference to …`
  private static func isOfCompiler(_ line: String) -> Bool {
    if line.hasPrefix("error[E") || line.contains("undefined reference to ") { return true }
    for sign in [": error: ", ": fatal error: ", ": Error: ", ": ERROR: "] {
      if let range = line.firstRange(of: sign), line[..<range.lowerBound].last?.isNumber == true { return true }
    }
    guard let range = line.firstRange(of: ".go:") else { return false }
    return line[range.upperBound...].first?.isNumber == true && !line[..<range.lowerBound].contains(" ")
  }

  /// What follows npm's mark for errors.
  private static func npm(_ line: String) -> Substring? {
    for mark in ["npm ERR!", "npm error"] where line.hasPrefix(mark) { return line.dropFirst(mark.count) }
    return nil
  }

  private static func isOfNpm(_ words: Substring) -> Bool {
    let text = words.drop { $0 == " " }
    let isDetail = ["code ", "errno ", "syscall ", "path ", "command ", "A complete log", "cwd "].contains(where: text.hasPrefix)
    return words.hasPrefix(" ") && !words.hasPrefix("  ") && text.contains(" ") && !isDetail
  }

  private static func isOfOpkg(_ line: String) -> Bool {
    let text = line.dropFirst(3).drop { $0 == " " || $0 == "-" }
    return text.contains(" ") && !["Solver encountered", "Problem ", "Solution ", "do not ask"].contains(where: text.hasPrefix)
  }
}
