import BuildModel
import FoundationEssentials

extension ManifestFields {
  /// Reads a `.coffee` manifest without evaluating it.
  ///
  /// The manifests are regular: constants, then `module.exports =` and an indented object. Tabs count as eight columns; the first indentation after
  /// `module.exports` is the top level, the first one below `yocto:` is its level; `key: scalar` lines there are taken, all else is skipped.
  static func coffee(_ bytes: [UInt8], path: String) throws(PlanningError) -> ManifestFields {
    guard let text = String(validating: bytes, as: UTF8.self) else { throw .unreadable(file: path, line: nil, reason: "is not UTF-8") }
    var fields = ManifestFields()
    var places: [String: Int] = [:]
    var isComment = false
    var isInside = false
    var topLevel: Int?
    var yoctoLevel: Int?
    var isInYocto = false
    // "\r\n" is one Character, so lines are split by what Swift takes as a newline.
    for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
      let content = line.drop { $0 == " " || $0 == "\t" || $0 == "\u{FEFF}" }
      if content.hasPrefix("###"), !content.hasPrefix("####") {
        // A block comment may end on its first line.
        if isComment || content.dropFirst(3).firstRange(of: "###") == nil { isComment.toggle() }
        continue
      }
      if isComment { continue }
      if content.isEmpty || content.first == "#" { continue }
      if !isInside {
        isInside = content.hasPrefix("module.exports")
        continue
      }
      let column = indentation(line)
      if column == 0 { break }
      let top = topLevel ?? column
      topLevel = top
      if column <= top {
        isInYocto = false
        guard let (key, rest) = split(content) else { continue }
        if key == "yocto" {
          isInYocto = true
          yoctoLevel = nil
        } else if Self.topKeys.contains(key), let value = try value(rest, path: path, line: index + 1) {
          fields.top[key] = value
          places[key] = index + 1
        }
      } else if isInYocto {
        let level = yoctoLevel ?? column
        yoctoLevel = level
        if column == level, let (key, rest) = split(content), Self.yoctoKeys.contains(key), let value = try value(rest, path: path, line: index + 1) {
          fields.yocto[key] = value
          places["yocto." + key] = index + 1
        }
      }
    }
    guard isInside else { throw .unreadable(file: path, line: nil, reason: "has no 'module.exports'") }
    guard !fields.yocto.isEmpty else { throw .unreadable(file: path, line: nil, reason: "has no 'yocto' section") }
    fields.line = { [places] in places[$0] }
    return fields
  }

  /// What is read; anything else may have any form.
  private static let topKeys: Set = ["slug", "aliases", "name", "arch", "state"]
  private static let yoctoKeys: Set = [
    "machine", "image", "fstype", "version", "deployArtifact", "deployFlasherArtifact", "deployRawArtifact", "compressed", "archive",
  ]

  private static func indentation(_ line: Substring) -> Int {
    var column = 0
    for character in line {
      if character == " " { column += 1 } else if character == "\t" { column = (column / 8 + 1) * 8 } else { break }
    }
    return column
  }

  private static func split(_ content: Substring) -> (String, Substring)? {
    guard let colon = content.firstIndex(of: ":") else { return nil }
    var key = content[..<colon]
    if let quote = key.first, quote == "'" || quote == "\"", key.last == quote, key.count > 2 { key = key.dropFirst().dropLast() }
    guard !key.isEmpty, key.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "_" || $0 == "-" }) else { return nil }
    return (String(key), content[content.index(after: colon)...].drop { $0 == " " || $0 == "\t" })
  }

  /// A scalar or a one-line list of texts; nil for what is no such value (nested objects, expressions).
  private static func value(_ text: Substring, path: String, line: Int) throws(PlanningError) -> Value? {
    guard let first = text.first else { return nil }
    if first == "'" || first == "\"" {
      // Three quotes begin a text of several lines, which none of the keys has.
      if text.hasPrefix("'''") || text.hasPrefix("\"\"\"") { return nil }
      guard let (value, _) = quoted(text) else { throw .unreadable(file: path, line: line, reason: "a text has no closing \(first)") }
      return .text(value)
    }
    if first == "[" { return list(text.dropFirst()).map(Value.list) }
    let word = text.prefix { $0 != " " && $0 != "\t" && $0 != "#" && $0 != "," }
    switch word {
    case "true", "yes", "on": return .flag(true)
    case "false", "no", "off": return .flag(false)
    case "null": return nil
    default: return word.allSatisfy(\.isNumber) ? .text(String(word)) : nil
    }
  }

  /// The text between the quote that comes first and the next one like it, and what follows; nil without a closing quote.
  private static func quoted(_ text: Substring) -> (value: String, rest: Substring)? {
    guard let quote = text.first else { return nil }
    var value = ""
    var isEscaped = false
    for index in text.indices.dropFirst() {
      let character = text[index]
      if isEscaped || (character != quote && character != "\\") {
        value.append(character)
        isEscaped = false
      } else if character == quote {
        return (value, text[text.index(after: index)...])
      } else {
        isEscaped = true
      }
    }
    return nil
  }

  /// Texts up to the closing bracket; nil when there is anything else.
  private static func list(_ text: Substring) -> [String]? {
    var items: [String] = []
    var rest = text
    while true {
      rest = rest.drop { $0 == " " || $0 == "\t" || $0 == "," }
      switch rest.first {
      case "]": return items
      case "'", "\"":
        guard let (value, after) = quoted(rest) else { return nil }
        items.append(value)
        rest = after
      default: return nil
      }
    }
  }
}
