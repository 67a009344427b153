import BuildModel
import Yams

/// One node of a YAML document that knows its file and line, so that every complaint can name them.
struct ConfigurationNode {
  let file: String
  let node: Node
  /// The key it is the value of, as messages quote it; of an entry of a list "an entry of 'key'".
  var subject = "the document"

  /// Parses a document; an empty one is an empty mapping.
  static func parse(_ text: String, file: String) throws(ConfigurationError) -> ConfigurationNode {
    do {
      guard let node = try Yams.compose(yaml: text) else { return ConfigurationNode(file: file, node: Node.mapping(Node.Mapping([]))) }
      return ConfigurationNode(file: file, node: node)
    } catch let error as YamlError {
      let problem = YAMLProblem(error)
      throw ConfigurationError(file: file, line: problem.line, reason: "not YAML: \(problem.reason)")
    } catch {
      throw ConfigurationError(file: file, reason: "not YAML: \(error)")
    }
  }

  func failure(_ reason: String) -> ConfigurationError {
    ConfigurationError(file: file, line: node.mark?.line, reason: reason)
  }

  /// The mapping's entries; refuses keys that are not in `known`, naming them all.
  func mapping(_ what: String, known: [String]) throws(ConfigurationError) -> [String: ConfigurationNode] {
    guard let mapping = node.mapping else { throw failure("\(what) must be a mapping of \(known.joined(separator: ", "))") }
    var entries: [String: ConfigurationNode] = [:]
    for (key, value) in mapping {
      guard let name = key.string, known.contains(name) else {
        throw ConfigurationError(
          file: file, line: key.mark?.line,
          reason: "unknown key '\(key.string ?? "?")' in \(what); known are \(known.joined(separator: ", "))")
      }
      entries[name] = ConfigurationNode(file: file, node: value, subject: "'\(name)'")
    }
    return entries
  }

  func list() throws(ConfigurationError) -> [ConfigurationNode] {
    guard let sequence = node.sequence else { throw failure("\(subject) must be a list (lines that begin with '- ')") }
    return sequence.map { ConfigurationNode(file: file, node: $0, subject: "an entry of \(subject)") }
  }

  func string() throws(ConfigurationError) -> String {
    guard let scalar = node.scalar, !scalar.string.isEmpty else { throw failure("\(subject) must be a text") }
    return scalar.string
  }

  func integer(_ range: ClosedRange<Int>) throws(ConfigurationError) -> Int {
    guard let scalar = node.scalar, let value = Int(scalar.string), range.contains(value) else {
      throw failure("\(subject) must be a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return value
  }

  /// A size above zero with its unit.
  func byteCount() throws(ConfigurationError) -> ByteCount {
    try value("a size such as 50 GB, 1.5 TB or 512 MiB") { text in ByteCount(text).flatMap { $0.bytes > 0 ? $0 : nil } }
  }

  func boolean() throws(ConfigurationError) -> Bool {
    switch node.scalar?.string {
    case "true": return true
    case "false": return false
    default: throw failure("\(subject) must be true or false")
    }
  }

  /// The entries of a mapping with keys of any name.
  func entries(_ what: String) throws(ConfigurationError) -> [(name: String, value: ConfigurationNode)] {
    guard let mapping = node.mapping else { throw failure("\(what) must be a mapping") }
    var entries: [(name: String, value: ConfigurationNode)] = []
    for (key, value) in mapping {
      guard let name = key.string else { throw failure("\(what) must have texts as keys") }
      entries.append((name, ConfigurationNode(file: file, node: value, subject: "'\(name)'")))
    }
    return entries
  }

  /// A text that `parse` turns into a value, or the complaint that it is none.
  func value<Value>(_ what: String, parse: (String) -> Value?) throws(ConfigurationError) -> Value {
    let text = try string()
    guard let value = parse(text) else { throw failure("\(AddressText.quoted(text)) is not \(what)") }
    return value
  }
}
