import CoordinatorConfiguration
import Yams

/// One composition file, read and bounded, not yet merged with another one.
package struct CompositionDocument: Hashable, Sendable {
  /// A mapping.
  package var value: CompositionValue
  package var file: String
  /// Where the keys of the whole and the services begin, from 1: `services`, and `services/a` for service a.
  package var lines: [String: Int] = [:]

  /// Reads a file (Compose 2.4 syntax with `x-build`). Aliases are taken apart; too many of them, merge keys, tags, keys given twice and whatever JSON
  /// cannot hold are refused.
  package static func parse(_ bytes: [UInt8], file: String) throws(PlanningError) -> CompositionDocument {
    func refused(_ excess: YAMLBounds.Excess) -> PlanningError {
      .composition(file: file, line: excess.line, service: nil, rule: excess.rule, reason: excess.reason)
    }
    do {
      try YAMLBounds.check(bytes)
    } catch {
      throw refused(error)
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw refused(.init(rule: .syntax, line: nil, reason: "it is not UTF-8 text"))
    }
    do {
      let (value, lines) = try value(of: text)
      guard case .map = value else { throw YAMLBounds.Excess(rule: .shape, line: 1, reason: "it holds \(value.kind) instead of a mapping") }
      return CompositionDocument(value: value, file: file, lines: lines)
    } catch let excess as YAMLBounds.Excess {
      throw refused(excess)
    } catch let error as YamlError {
      let problem = YAMLProblem(error)
      throw refused(.init(rule: .syntax, line: problem.line, reason: problem.reason))
    } catch {
      throw refused(.init(rule: .syntax, line: nil, reason: "\(error)"))
    }
  }

  private static func value(of text: String) throws -> (CompositionValue, lines: [String: Int]) {
    guard let node = try Yams.compose(yaml: text) else { return (.map([:]), [:]) }
    var reader = YAMLReader()
    let value = try reader.value(node, path: [])
    return (value, reader.lines)
  }
}

/// Turns the parser's nodes into values, by YAML 1.2's core schema: `no` is a text, not a flag.
private struct YAMLReader {
  private var count = 0
  /// See ``CompositionDocument/lines``.
  private(set) var lines: [String: Int] = [:]

  mutating func value(_ node: Node, path: [String]) throws(YAMLBounds.Excess) -> CompositionValue {
    func excess(_ rule: CompositionRule, _ reason: String) -> YAMLBounds.Excess { .init(rule: rule, line: node.mark?.line, reason: reason) }
    count += 1
    guard count <= YAMLBounds.values else { throw excess(.expansion, "more than \(YAMLBounds.values) values when aliases are taken apart") }
    guard path.count <= YAMLBounds.depth else { throw excess(.nesting, "more than \(YAMLBounds.depth) levels") }
    switch node {
    case .scalar(let scalar): return try self.scalar(scalar, isLabel: path.count == 4 && path[0] == "services" && path[2] == "labels")
    case .sequence(let sequence):
      guard ["", "tag:yaml.org,2002:seq"].contains(sequence.tag.rawValue) else { throw excess(.tag, "tag '\(sequence.tag.rawValue.prefix(80))'") }
      var list: [CompositionValue] = []
      for item in sequence { list.append(try value(item, path: path + ["-"])) }
      return .list(list)
    case .mapping(let mapping):
      guard ["", "tag:yaml.org,2002:map"].contains(mapping.tag.rawValue) else { throw excess(.tag, "tag '\(mapping.tag.rawValue.prefix(80))'") }
      var map: [String: CompositionValue] = [:]
      for (key, item) in mapping {
        guard let name = key.scalar?.string else { throw excess(.key, "a mapping or list is a key") }
        guard name != "<<" || key.scalar?.style != .plain else { throw excess(.mergeKey, "merge keys (<<) are not supported: write the values out") }
        if path.isEmpty || path == ["services"] { lines[(path + [name]).joined(separator: "/")] = key.mark?.line }
        guard map.updateValue(try value(item, path: path + [name]), forKey: name) == nil else {
          throw excess(.syntax, "key given twice: \(name.prefix(80))")
        }
      }
      return .map(map)
    case .alias: throw excess(.aliases, "an alias of nothing")
    }
  }

  private func scalar(_ scalar: Node.Scalar, isLabel: Bool) throws(YAMLBounds.Excess) -> CompositionValue {
    let text = scalar.string
    let tag = scalar.tag.rawValue
    guard ["", "!", "tag:yaml.org,2002:str"].contains(tag) else {
      throw YAMLBounds.Excess(rule: .tag, line: scalar.mark?.line, reason: "tag '\(tag.prefix(80))'")
    }
    guard tag.isEmpty, scalar.style == .plain else { return .text(text) }
    if ["", "~", "null", "Null", "NULL"].contains(text) { return .null }
    // Labels are texts: a number keeps its spelling.
    if isLabel { return .text(text) }
    if ["true", "True", "TRUE"].contains(text) { return .flag(true) }
    if ["false", "False", "FALSE"].contains(text) { return .flag(false) }
    guard let first = text.utf8.first, (48...57).contains(first) || [43, 45, 46].contains(first) else { return .text(text) }
    if let radix = text.hasPrefix("0x") ? 16 : text.hasPrefix("0o") ? 8 : nil {
      return Int(text.dropFirst(2), radix: radix).map { .integer($0) } ?? .text(text)
    }
    let unsigned = text.drop { $0 == "+" || $0 == "-" }
    if text.count - unsigned.count <= 1, !unsigned.isEmpty, unsigned.utf8.allSatisfy({ (48...57).contains($0) }) {
      guard let number = Int(text) else { throw YAMLBounds.Excess(rule: .number, line: scalar.mark?.line, reason: "number \(text.prefix(80))") }
      return .integer(number)
    }
    guard text.utf8.allSatisfy({ (48...57).contains($0) || [43, 45, 46, 69, 101].contains($0) }), let number = Double(text) else {
      guard ![".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN"].contains(unsigned) else {
        throw YAMLBounds.Excess(rule: .number, line: scalar.mark?.line, reason: "JSON has no number \(text)")
      }
      return .text(text)
    }
    guard number.isFinite else { throw YAMLBounds.Excess(rule: .number, line: scalar.mark?.line, reason: "number \(text.prefix(80))") }
    return .number(number)
  }
}
