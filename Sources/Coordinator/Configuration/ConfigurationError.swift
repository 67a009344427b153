import BuildModel

/// A configuration that cannot be used: which file, which line, what is wrong, what would be right.
package struct ConfigurationError: BlamedError, Hashable {
  package let file: String
  /// From 1; nil when the whole file is meant.
  package let line: Int?
  package let reason: String
  /// What else is wrong.
  private var others: [ConfigurationError] = []

  /// All that is wrong at once; nil where nothing is.
  package init?(_ all: [ConfigurationError]) {
    guard let first = all.first else { return nil }
    self = first
    others = Array(all.dropFirst())
  }

  package init(file: String, line: Int? = nil, reason: String) {
    self.file = file
    self.line = line
    self.reason = reason
  }

  package var blame: Blame { .request }

  package var description: String {
    (["\(file)\(line.map { ":\($0)" } ?? ""): \(reason)"] + others.map(\.description)).joined(separator: "\n")
  }
}
