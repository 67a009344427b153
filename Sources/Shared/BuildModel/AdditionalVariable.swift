/// A variable that a request adds to the build's configuration: barys' `--additional-variable NAME=VALUE`, a line `NAME="VALUE"` of local.conf.
///
/// On its way the text passes shell words of the wrappers that are not quoted, so neither blanks nor file name patterns survive there.
package struct AdditionalVariable: Hashable, Sendable, Comparable, CustomStringConvertible {
  package let name: String
  package let value: String

  /// Names that blockfarm or the wrapper sets itself, or has an own option for.
  package static let reserved: Set<String> = [
    "MACHINE", "DEVICE_TYPE", "DL_DIR", "SSTATE_DIR", "TOPDIR", "TMPDIR", "DEPLOY_DIR", "DEPLOY_DIR_IPK", "DEPLOY_DIR_IMAGE", "PACKAGE_CLASSES",
    "PACKAGE_ARCHS", "OS_DEVELOPMENT", "SUPERVISOR_VERSION", "BALENA_API_ENV", "BALENA_API_TOKEN",
  ]

  /// Reads `NAME=VALUE`. The value may be empty and hold further `=`.
  package init(_ text: some StringProtocol) throws(InvalidAdditionalVariable) {
    guard let equals = text.firstIndex(of: "=") else { throw InvalidAdditionalVariable(text: String(text), reason: "must be NAME=VALUE") }
    let (name, value) = (String(text[..<equals]), String(text[text.index(after: equals)...]))
    func invalid(_ reason: String) -> InvalidAdditionalVariable { InvalidAdditionalVariable(text: String(text), reason: reason) }
    let isName = name.utf8.allSatisfy { $0.isLetterOrDigit || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-") }
    guard isName, name.utf8.count <= 128, let first = name.utf8.first, !(48...57).contains(first), first != UInt8(ascii: "-") else {
      throw invalid("its name must be letters, digits, '_' and '-', and begin with a letter or '_'")
    }
    guard !Self.reserved.contains(name) else { throw invalid("\(name) is set by blockfarm itself") }
    guard value.utf8.count <= 1024, value.utf8.allSatisfy({ $0 > 32 && $0 != 127 }) else {
      throw invalid("its value can hold neither blanks nor control characters, and at most 1024 bytes")
    }
    guard !value.utf8.contains(where: Set("\"\\*?[`".utf8).contains) else {
      throw invalid("its value can hold none of \" \\ * ? [ `, which do not survive the build wrapper")
    }
    (self.name, self.value) = (name, value)
  }

  package var description: String { "\(name)=\(value)" }
  package static func < (a: Self, b: Self) -> Bool { (a.name, a.value) < (b.name, b.value) }

  /// Reads all of a request's; sorted by name, so that their order on a command line means nothing. A name that is given twice is refused.
  package static func list(_ texts: some Sequence<String>) throws(InvalidAdditionalVariable) -> [AdditionalVariable] {
    var list: [AdditionalVariable] = []
    for text in texts {
      let variable = try AdditionalVariable(text)
      if list.contains(where: { $0.name == variable.name }) { throw InvalidAdditionalVariable(text: text, reason: "\(variable.name) is given twice") }
      list.append(variable)
    }
    return list.sorted()
  }
}

/// In JSON it is the text `NAME=VALUE`.
extension AdditionalVariable: Codable {
  package init(from decoder: any Decoder) throws { try self.init(decoder.singleValueContainer().decode(String.self)) }
  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}

/// A text that is no additional variable.
package struct InvalidAdditionalVariable: BlamedError, Hashable {
  package let text: String
  package let reason: String
  package var blame: Blame { .request }
  package var description: String { "--additional-variable '\(text.prefix(160))': \(reason)" }
}
