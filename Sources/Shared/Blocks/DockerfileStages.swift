import BuildModel

/// What must be known of a Dockerfile before it is built: the platforms in which its RUN steps work.
package struct DockerfileStages: Hashable, Sendable {
  package enum Place: Hashable, Sendable {
    /// The platform that the image is for.
    case target
    /// That of the building host (`--platform=$BUILDPLATFORM`).
    case host
    case named(String)
  }

  /// Platforms of the stages with RUN steps, each once.
  package let runningPlaces: Set<Place>

  /// Reads the instructions. Text that is no Dockerfile gives nothing here; the builder says what is wrong with it.
  package init(_ text: String) {
    var places: Set<Place> = []
    var place = Place.target
    for instruction in Self.instructions(text) {
      let words = instruction.split(whereSeparator: { $0 == " " || $0 == "\t" })
      switch words.first?.uppercased() {
      case "FROM":
        let flag = words.dropFirst().first { $0.hasPrefix("--platform=") }?.dropFirst("--platform=".count)
        switch flag {
        case nil, "$TARGETPLATFORM", "${TARGETPLATFORM}": place = .target
        case "$BUILDPLATFORM", "${BUILDPLATFORM}": place = .host
        case let text?: place = text.contains("$") ? .target : .named(String(text))
        }
      case "RUN": places.insert(place)
      default: continue
      }
    }
    runningPlaces = places
  }

  /// The instructions with continued lines joined and comments left out.
  private static func instructions(_ text: String) -> [String] {
    var result: [String] = []
    var current = ""
    var escape: Character = "\\"
    // Carriage return and newline are one character here.
    for line in text.split(omittingEmptySubsequences: true, whereSeparator: \.isNewline) {
      let line = line.drop { $0 == " " || $0 == "\t" }
      if line.isEmpty { continue }
      if line.hasPrefix("#") {
        let directive = line.dropFirst().filter { $0 != " " }.lowercased()
        if result.isEmpty, current.isEmpty, directive.hasPrefix("escape=`") { escape = "`" }
        continue
      }
      var end = line[...]
      while let last = end.last, last.isWhitespace { end = end.dropLast() }
      if end.last == escape {
        current += end.dropLast() + " "
      } else {
        current += end
        if !current.isEmpty { result.append(current) }
        current = ""
      }
    }
    if !current.isEmpty { result.append(current) }
    return result
  }
}
