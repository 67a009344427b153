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
    var isInside = false
    var topLevel: Int?
    var yoctoLevel: Int?
    var isInYocto = false
    for (index, raw) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      let line = raw.last == "\r" ? raw.dropLast() : raw
      let content = line.drop { $0 == " " || $0 == "\t" }
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
        } else if let value = try value(rest, path: path, line: index + 1) {
          fields.top[key] = value
        }
      } else if isInYocto {
        let level = yoctoLevel ?? column
        yoctoLevel = level
        if column == level, let (key, rest) = split(content), let value = try value(rest, path: path, line: index + 1) {
          fields.yocto[key] = value
        }
      }
    }
    guard isInside else { throw .unreadable(file: path, line: nil, reason: "has no 'module.exports'") }
    guard !fields.yocto.isEmpty else { throw .unreadable(file: path, line: nil, reason: "has no 'yocto' section") }
    return fields
  }

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
      let body = text.dropFirst()
      guard let end = body.firstIndex(of: first) else { throw .unreadable(file: path, line: line, reason: "a text has no closing \(first)") }
      return .text(String(body[..<end]))
    }
    if first == "[" {
      guard let end = text.lastIndex(of: "]") else { return nil }
      var items: [String] = []
      for item in text[text.index(after: text.startIndex)..<end].split(separator: ",") {
        let bare = item.filter { $0 != " " && $0 != "\t" }
        guard let quote = bare.first, quote == "'" || quote == "\"", bare.last == quote, bare.count >= 2 else { return nil }
        items.append(String(bare.dropFirst().dropLast()))
      }
      return .list(items)
    }
    let word = text.prefix { $0 != " " && $0 != "\t" && $0 != "#" && $0 != "," }
    switch word {
    case "true", "yes", "on": return .flag(true)
    case "false", "no", "off": return .flag(false)
    case "null": return nil
    default: return word.allSatisfy(\.isNumber) ? .text(String(word)) : nil
    }
  }
}
