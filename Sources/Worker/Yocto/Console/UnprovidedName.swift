/// A name that no recipe provides: `Nothing PROVIDES 'x' (but <recipe file> DEPENDS on or otherwise requires it)` and the lines after it.
struct UnprovidedName: Sendable {
  let name: String
  /// Whether it is a package that is missing when others are installed, else something to build.
  let isAtRunTime: Bool
  /// The recipe files that want it; nil when it was asked for.
  let wantedBy: String?
  private(set) var reasons: [String] = []
  private var listsMatches: Bool

  /// Reads an error's text; nil when it is about something else.
  init?(_ text: Substring) {
    guard let start = text.firstRange(of: "PROVIDES '"), text[..<start.lowerBound].hasPrefix("Nothing "),
      let end = text[start.upperBound...].firstRange(of: "'")
    else { return nil }
    name = String(text[start.upperBound..<end.lowerBound])
    isAtRunTime = text[..<start.lowerBound].hasSuffix("R")
    let rest = text[end.upperBound...]
    listsMatches = rest.hasSuffix("Close matches:")
    if let but = rest.firstRange(of: "(but "), let verb = rest.firstRange(of: "DEPENDS on or otherwise") {
      let files = rest[but.upperBound..<verb.lowerBound]
      wantedBy = String(files.split(separator: " ").filter { $0 != "R" }.joined(separator: " "))
    } else {
      wantedBy = nil
    }
  }

  /// Takes a line that follows: a close match, or why a provider was left out.
  mutating func append(_ line: String) {
    guard reasons.count < 5, listsMatches ? line.hasPrefix("  ") : line.contains("was skipped: ") else { return }
    reasons.append(String(line.drop { $0 == " " }))
  }

  var sentence: String {
    let what = "nothing provides '\(name)'"
    let place = wantedBy.map { ", which \($0) needs\(isAtRunTime ? " at run time" : "")" } ?? " in this device repository"
    if reasons.isEmpty { return what + place }
    let more = listsMatches ? " (close matches: \(reasons.joined(separator: ", ")))" : ": \(ConsoleText.joined(reasons))"
    return what + place + more
  }
}
