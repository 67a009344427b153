import BuildModel

/// `registry/repository[:tag][@digest]`. The registry is always named: there is no default one.
package struct ImageReference: Hashable, Sendable, CustomStringConvertible {
  package var registry: RegistryName
  package var repository: RepositoryName
  package var tag: ImageTag?
  package var digest: Digest?

  /// Throws ``CloudError/invalidName(_:_:reason:)``.
  package init(_ text: String) throws(CloudError) {
    func refused(_ reason: String) -> CloudError { .invalidName("image reference", text, reason: reason) }
    guard text.utf8.count <= 1024 else { throw refused("it is too long") }
    guard let slash = text.firstIndex(of: "/") else { throw refused("it is not registry/repository[:tag][@digest]") }
    let host = String(text[..<slash])
    guard host.contains(".") || host.contains(":") || host == "localhost" else {
      throw refused("'\(host)' is no registry: its name has a dot or a port, or is localhost")
    }
    registry = try RegistryName(host)
    var rest = text[text.index(after: slash)...]
    if let at = rest.firstIndex(of: "@") {
      guard let digest = Digest(String(rest[rest.index(after: at)...])) else { throw refused("what follows '@' is no sha256 digest") }
      self.digest = digest
      rest = rest[..<at]
    }
    if let colon = rest.lastIndex(of: ":") {
      tag = try ImageTag(String(rest[rest.index(after: colon)...]))
      rest = rest[..<colon]
    }
    repository = try RepositoryName(String(rest))
  }

  package var description: String {
    "\(registry)/\(repository)" + (tag.map { ":\($0)" } ?? "") + (digest.map { "@\($0)" } ?? "")
  }
}

/// Host and optional port of a registry, lower-case.
package struct RegistryName: Hashable, Sendable, CustomStringConvertible {
  package let text: String
  package var description: String { text }

  package init(_ text: String) throws(CloudError) {
    guard let url = try? HTTPURL("https://\(text)/"), url.path == "/", url.query == nil, !text.contains("/"), !text.contains("?"), !text.contains("#")
    else { throw .invalidName("registry", text, reason: "it is not host or host:port") }
    self.text = text.lowercased()
  }

  /// Where its API is. Docker Hub's has another name than its references.
  func origin(_ scheme: HTTPURL.Scheme) throws(CloudError) -> HTTPURL {
    try HTTPURL("\(scheme.rawValue)://\(text == "docker.io" ? "registry-1.docker.io" : text)/")
  }
}

/// A repository's name (Distribution specification, "Pulling manifests"): components of lower-case letters and digits with single separators.
package struct RepositoryName: Hashable, Sendable, Comparable, CustomStringConvertible {
  package let text: String
  package var description: String { text }

  package init(_ text: String) throws(CloudError) {
    let components = text.split(separator: "/", omittingEmptySubsequences: false)
    guard text.utf8.count <= 255, components.allSatisfy({ Self.isComponent(Array($0.utf8)) }) else {
      throw .invalidName("repository", text, reason: "its components are lower-case letters and digits, separated by '.', '_', '__' or dashes")
    }
    self.text = text
  }

  package static func < (a: Self, b: Self) -> Bool { a.text < b.text }

  private static func isComponent(_ bytes: [UInt8]) -> Bool {
    func isWord(_ byte: UInt8) -> Bool { (48...57).contains(byte) || (97...122).contains(byte) }
    guard let first = bytes.first, let last = bytes.last, isWord(first), isWord(last) else { return false }
    let separators = bytes.split(omittingEmptySubsequences: true, whereSeparator: isWord)
    return separators.allSatisfy { run in
      run.allSatisfy { $0 == UInt8(ascii: "-") } || run.elementsEqual(".".utf8) || run.elementsEqual("_".utf8) || run.elementsEqual("__".utf8)
    }
  }
}

/// A movable name inside a repository.
package struct ImageTag: Hashable, Sendable, CustomStringConvertible {
  package let text: String
  package var description: String { text }

  init(unchecked text: String) { self.text = text }

  package init(_ text: String) throws(CloudError) {
    let bytes = Array(text.utf8)
    func isWord(_ byte: UInt8) -> Bool {
      (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || byte == UInt8(ascii: "_")
    }
    guard let first = bytes.first, bytes.count <= 128, isWord(first),
      bytes.allSatisfy({ isWord($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "-") })
    else { throw .invalidName("tag", text, reason: "it is 1 to 128 letters, digits, '_', '.' or '-', and begins with neither '.' nor '-'") }
    self.text = text
  }
}
