import BuildModel

/// A configuration that cannot be used: which file, which line, what is wrong, what would be right.
package struct ConfigurationError: BlamedError, Hashable {
  package let file: String
  /// From 1; nil when the whole file is meant.
  package let line: Int?
  package let reason: String

  package init(file: String, line: Int? = nil, reason: String) {
    self.file = file
    self.line = line
    self.reason = reason
  }

  package var blame: Blame { .request }

  package var description: String { "\(file)\(line.map { ":\($0)" } ?? ""): \(reason)" }
}
