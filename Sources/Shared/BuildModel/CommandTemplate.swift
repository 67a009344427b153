/// A command as the configuration writes it: words with placeholders in braces.
///
/// `{targets}` and `{arguments}` stand for any number of words: alone in a word they become as many words (perhaps none), inside a longer word they
/// are joined by blanks. `{{` and `}}` stand for braces. Nothing goes through a shell.
package struct CommandTemplate: Hashable, Sendable {
  package enum Placeholder: String, Hashable, Sendable, CaseIterable {
    case machine, slug, manifest, targets, arguments, downloads, sstate, tree
  }

  /// What the placeholders stand for in one call.
  package struct Values: Sendable {
    package var machine: Machine
    package var slug: Slug
    /// File name of the device type's manifest without suffix: what DEVICE_TYPE has to be.
    package var manifest: String
    package var targets: [String]
    package var arguments: [String]
    /// Absolute paths of directories that exist.
    package var downloads: String
    package var sharedState: String
    package var tree: String

    package init(
      machine: Machine, slug: Slug, manifest: String, targets: [String], arguments: [String], downloads: String, sharedState: String, tree: String
    ) {
      self.machine = machine
      self.slug = slug
      self.manifest = manifest
      self.targets = targets
      self.arguments = arguments
      self.downloads = downloads
      self.sharedState = sharedState
      self.tree = tree
    }

    fileprivate subscript(placeholder: Placeholder) -> [String] {
      switch placeholder {
      case .machine: [machine.text]
      case .slug: [slug.text]
      case .manifest: [manifest]
      case .targets: targets
      case .arguments: arguments
      case .downloads: [downloads]
      case .sstate: [sharedState]
      case .tree: [tree]
      }
    }
  }

  /// One word, at most 4096 bytes, without control characters.
  package struct Word: Hashable, Sendable {
    fileprivate enum Piece: Hashable, Sendable {
      case text(String)
      case placeholder(Placeholder)
    }
    /// As it was written.
    package let text: String
    fileprivate let pieces: [Piece]

    package init(_ text: String) throws(InvalidTemplate) {
      guard text.utf8.count <= 4096, text.utf8.allSatisfy({ $0 >= 32 && $0 != 127 }) else {
        throw InvalidTemplate(text: text, reason: "is too long or has control characters")
      }
      self.text = text
      pieces = try Self.parse(text)
    }

    /// The word as one text, several values joined by blanks.
    package func joined(_ values: Values) -> String {
      pieces.map { piece in
        switch piece {
        case .text(let text): text
        case .placeholder(let placeholder): values[placeholder].joined(separator: " ")
        }
      }.joined()
    }

    fileprivate func words(_ values: Values) -> [String] {
      if pieces.count == 1, case .placeholder(let placeholder) = pieces[0] { return values[placeholder] }
      return [joined(values)]
    }

    private static func parse(_ text: String) throws(InvalidTemplate) -> [Piece] {
      var pieces: [Piece] = []
      var literal = ""
      var rest = text[...]
      while let character = rest.popFirst() {
        switch character {
        case "{" where rest.first == "{", "}" where rest.first == "}":
          literal.append(character)
          rest.removeFirst()
        case "}": throw InvalidTemplate(text: text, reason: "has a '}' without '{'; write '}}' for the brace itself")
        case "{":
          guard let end = rest.firstIndex(of: "}"), let placeholder = Placeholder(rawValue: String(rest[..<end])) else {
            throw InvalidTemplate(
              text: text,
              reason: "has an unknown placeholder; known are \(Placeholder.allCases.map { "{\($0.rawValue)}" }.joined(separator: ", "))"
                + ", and '{{' for the brace itself")
          }
          if !literal.isEmpty { pieces.append(.text(literal)) }
          literal = ""
          pieces.append(.placeholder(placeholder))
          rest = rest[rest.index(after: end)...]
        default: literal.append(character)
        }
      }
      if !literal.isEmpty || pieces.isEmpty { pieces.append(.text(literal)) }
      return pieces
    }
  }

  /// The program first, a word without placeholders.
  package let words: [Word]

  package init(_ words: [Word]) throws(InvalidTemplate) {
    guard let first = words.first, words.count <= 256 else {
      throw InvalidTemplate(text: "the command", reason: "has no words, or more than 256")
    }
    guard !first.text.isEmpty, first.pieces.allSatisfy({ if case .text = $0 { true } else { false } }) else {
      throw InvalidTemplate(text: first.text, reason: "names the program and can have no placeholder")
    }
    self.words = words
  }

  /// Parses all words.
  package init(_ words: [String]) throws(InvalidTemplate) {
    var parsed: [Word] = []
    for word in words { parsed.append(try Word(word)) }
    try self.init(parsed)
  }

  /// The program as it was written, braces resolved.
  package var program: String { words[0].pieces.map { if case .text(let text) = $0 { text } else { "" } }.joined() }

  /// The words after the program.
  package func arguments(_ values: Values) -> [String] { words.dropFirst().flatMap { $0.words(values) } }

  package func uses(_ placeholder: Placeholder) -> Bool { words.contains { $0.pieces.contains(.placeholder(placeholder)) } }
}

/// A word that is no template.
package struct InvalidTemplate: BlamedError, Hashable {
  package let text: String
  package let reason: String

  init(text: String, reason: String) {
    self.text = String(text.prefix(160))
    self.reason = reason
  }

  package var blame: Blame { .request }

  package var description: String { "'\(text)' \(reason)" }
}

extension CommandTemplate.Word: Codable {
  package init(from decoder: any Decoder) throws { try self.init(decoder.singleValueContainer().decode(String.self)) }
  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(text)
  }
}

extension CommandTemplate: Codable {
  package init(from decoder: any Decoder) throws { try self.init(decoder.singleValueContainer().decode([Word].self)) }
  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(words)
  }
}
