/// A repository and perhaps a tag, in the familiar form that an engine keeps: without the default registry and its default namespace.
struct ImageName: Hashable, Sendable {
  let repository: String
  let tag: String?

  /// nil when the text is not a reference (distribution's grammar, without digests).
  init?(_ text: String) {
    var repository = Substring(text)
    var tag: String?
    if let colon = text.lastIndex(of: ":"), !text[colon...].contains("/") {
      tag = String(text[text.index(after: colon)...])
      repository = text[..<colon]
    }
    for prefix in ["docker.io/library/", "docker.io/"] where repository.hasPrefix(prefix) {
      repository = repository.dropFirst(prefix.count)
      break
    }
    guard !repository.isEmpty, repository.utf8.count <= 255 else { return nil }
    let components = repository.split(separator: "/", omittingEmptySubsequences: false)
    for (index, component) in components.enumerated() {
      let mayBeHost = index == 0 && components.count > 1
      let good = component.utf8.allSatisfy { byte in
        (97...122).contains(byte) || (48...57).contains(byte) || [45, 46, 95].contains(byte)
          || (mayBeHost && (byte == 58 || (65...90).contains(byte)))
      }
      guard good, let first = component.utf8.first, let last = component.utf8.last, ![45, 46, 95].contains(first), ![45, 46, 95].contains(last) else {
        return nil
      }
    }
    if let tag {
      let good = tag.utf8.allSatisfy { (97...122).contains($0) || (65...90).contains($0) || (48...57).contains($0) || [45, 46, 95].contains($0) }
      guard good, (1...128).contains(tag.utf8.count), tag.first != "-", tag.first != "." else { return nil }
    }
    self.repository = String(repository)
    self.tag = tag
  }
}
