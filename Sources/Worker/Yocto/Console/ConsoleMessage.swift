/// An error that bitbake printed: its first line, and what follows up to the next message.
struct ConsoleMessage: Sendable {
  /// The first line, without `ERROR: ` and, for a task's error, without recipe and task.
  let text: String
  /// The first line that points to the host.
  private(set) var hostLine: String?
  private(set) var pointsToNetwork = false
  // A traceback's last lines tell more than those in its middle.
  private var first: [String] = []
  private var last: [String] = []
  private static let (firstLimit, lastLimit) = (16, 24)

  init(_ text: some StringProtocol) {
    self.text = ConsoleText.withoutMiddle(String(text.drop { $0 == " " }))
    look(at: self.text)
  }

  /// Takes a further line of the message.
  mutating func append(_ line: String) {
    look(at: line)
    let line = ConsoleText.shortened(line, limit: 2000)
    if first.count < Self.firstLimit {
      first.append(line)
    } else {
      if last.count == Self.lastLimit { last.removeFirst() }
      last.append(line)
    }
  }

  /// The lines after the first.
  var rest: [String] { first + last }

  private mutating func look(at line: String) {
    switch Suspect.inLine(line) {
    case .host: hostLine = hostLine ?? line
    case .network: pointsToNetwork = true
    case nil: break
    }
  }
}

extension ConsoleMessage {
  /// What only says that something failed, not what.
  private static let noise = [
    "Fatal QA errors were found", "QA run found fatal errors", "oe_runmake failed", "Parsing halted due to errors", "Build of do_",
    "If the above message is too much", "Command execution failed", "Bitbake Fetcher Error: ",
  ]

  /// The sentence that says what is wrong; nil where the message only says that something is.
  var cause: String? {
    if Self.noise.contains(where: text.hasPrefix) { return nil }
    if text.hasPrefix("ExecutionError(") { return ofExecution }
    if let raised { return raised }
    if text.hasPrefix("OE-core's config sanity checker") { return advice ?? text }
    if let inner = exception { return inner }
    if text.hasPrefix("Execution of '") || text.contains("Command '") && text.hasSuffix(":") || text.contains(" failed with return value ") {
      return ofCommand
    }
    if text.hasPrefix("Applying patch ") { return ConsoleText.joined([text + ":", patchProblem]) }
    if text.hasPrefix("Function failed: ") { return ofFunction }
    return text.hasSuffix(":") ? ConsoleText.joined([text] + listed) : ConsoleText.shortened(text)
  }

  /// `ExecutionError('<command>', 2, '<output>', '<errors>')`; shell tasks have their output in the log instead.
  private var ofExecution: String? {
    let output = (PythonCall(text)?.arguments ?? []).dropFirst(2).compactMap { $0 }.joined(separator: "\n")
    return TellingLine.best(in: output.split(separator: "\n").map(String.init)).text
  }

  /// The exception that a Python task or function raised, with what the program that it called wrote.
  private var raised: String? {
    let lines = rest
    guard let at = lines.lastIndex(where: { $0.hasPrefix("Exception: ") }) else { return nil }
    let exception = ConsoleText.shortened(String(lines[at].dropFirst("Exception: ".count)))
    let output = lines[(at + 1)...].drop { $0 != "Subprocess output:" }.dropFirst()
    let told = TellingLine.best(in: Array(output)).text.map { ": \($0)" } ?? ""
    return (exception.hasSuffix(".") && !told.isEmpty ? String(exception.dropLast()) : exception) + told + whileParsing(exception)
  }

  /// What follows a first line that ends in a colon: the indented lines, or one line.
  private var listed: [String] {
    let filled = rest.drop { $0.isEmpty }
    guard let next = filled.first else { return [] }
    return next.hasPrefix(" ") ? Array(filled.prefix { $0.hasPrefix(" ") }.prefix(5)) : [next]
  }

  /// The first problem that sanity.bbclass lists.
  private var advice: String? {
    guard let start = rest.firstIndex(where: { $0.contains("list of potential problems") }) else { return nil }
    return rest[(start + 1)...].first { !$0.allSatisfy { $0 == " " } }.map { ConsoleText.joined([$0]) }
  }

  /// The exception at the end of a traceback, with the file that was being parsed.
  var exception: String? {
    let isCompiling = text.hasPrefix("Error in compiling python function in ")
    let isTraceback = { (line: String) in line == "Traceback (most recent call last):" }
    let start = rest.firstIndex(where: isTraceback)
    guard isCompiling || start != nil || isTraceback(text) else { return nil }
    let lines = rest[(start.map { $0 + 1 } ?? 0)...]
    guard let line = lines.first(where: Self.isException) else { return nil }
    if isCompiling { return ConsoleText.joined([text.hasSuffix(":") ? text : text + ":", line]) }
    let message = ConsoleText.shortened(Self.withoutModule(line))
    let isSyntax = ["SyntaxError", "IndentationError", "TabError"].contains(where: message.hasPrefix)
    if isSyntax, let place = lines.lazy.compactMap(Self.place).last { return "\(message) (\(place))" }
    return message + whileParsing(message)
  }

  /// `  File "<file>", line 14` of a syntax error; other frames go on with the function.
  private static func place(_ line: String) -> String? {
    guard line.hasPrefix("  File \""), let end = line.firstRange(of: "\", line "), line[end.upperBound...].allSatisfy(\.isNumber) else { return nil }
    return "\(line[..<end.lowerBound].dropFirst("  File \"".count)), line \(line[end.upperBound...])"
  }

  private func whileParsing(_ message: String) -> String {
    guard let file = parsedFile, !message.contains(file), !file.hasSuffix(".py") else { return "" }
    return " (while parsing \(file))"
  }

  /// The file that bitbake was reading.
  var parsedFile: String? {
    for start in ["ExpansionError during parsing ", "Unable to parse "] where text.hasPrefix(start) {
      let file = text.dropFirst(start.count).prefix { $0 != " " }
      return String(file.hasSuffix(":") ? file.dropLast() : file)
    }
    // bitbake puts the file before what a recipe's functions complain about.
    guard text.hasPrefix("/") || text.hasPrefix("virtual:"), let end = text.firstRange(of: ": ") else { return nil }
    let file = text[..<end.lowerBound]
    return [".bb", ".bbappend", ".bbclass", ".conf", ".inc"].contains(where: file.hasSuffix) ? String(file) : nil
  }

  /// `NameError: …`, `bb.parse.ParseError: …`; not indented, and no sentence.
  private static func isException(_ line: String) -> Bool {
    guard let colon = line.firstRange(of: ": ") else { return false }
    return !line.hasPrefix(" ") && line[..<colon.lowerBound].allSatisfy { $0.isLetter || $0.isNumber || $0 == "." || $0 == "_" }
  }

  /// The names of bitbake's own exceptions say nothing that their texts do not.
  static func withoutModule(_ line: String) -> String {
    guard line.hasPrefix("bb."), let colon = line.firstRange(of: ": ") else { return line }
    return String(line[colon.upperBound...])
  }

  /// `Unable to install packages. Command '…' returned 255:` and the command's output.
  private var ofCommand: String? {
    let telling = TellingLine.best(in: rest).text.map(Self.withoutBullet)
    guard let command = text.firstRange(of: " Command '") else { return telling ?? (text.hasPrefix("Execution of '") ? nil : text) }
    let what = text[..<command.lowerBound].drop { $0 == " " }
    let subject = what.hasSuffix(".") ? what.dropLast() : what
    return telling.map { ConsoleText.joined(["\(subject):", $0]) } ?? ConsoleText.shortened(text)
  }

  private static func withoutBullet(_ line: String) -> String { String(line.drop { $0 == " " || $0 == "*" || $0 == "-" }) }

  private var patchProblem: String { TellingLine.best(in: rest).text ?? "" }

  /// bitbake before 1.44: `Function failed: <what> (log file is located at …)`.
  private var ofFunction: String? {
    let what = text.dropFirst("Function failed: ".count)
    let end = what.firstRange(of: " (log file is located at")?.lowerBound ?? what.endIndex
    return what[..<end].contains(" ") ? ConsoleText.shortened(String(what[..<end])) : nil
  }
}
