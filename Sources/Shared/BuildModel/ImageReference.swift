/// `registry/repository[:tag][@digest]`. The registry is always named: there is no default one.
package struct ImageReference: Hashable, Sendable, CustomStringConvertible {
  package var registry: RegistryName
  package var repository: RepositoryName
  package var tag: ImageTag?
  package var digest: Digest?

  /// Throws ``InvalidReference``.
  package init(_ text: String) throws(InvalidReference) {
    func refused(_ reason: String) -> InvalidReference { InvalidReference(noun: "image reference", text: text, reason: reason) }
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

  /// Throws ``InvalidReference``.
  package init(_ text: String) throws(InvalidReference) {
    guard Self.isHostAndPort(text) else { throw InvalidReference(noun: "registry", text: text, reason: "it is not host or host:port") }
    self.text = text.lowercased()
  }

  /// `host`, `host:port` or `[address]:port`, where a port is a number from 1 to 65535.
  private static func isHostAndPort(_ text: String) -> Bool {
    guard text.utf8.count <= 255 else { return false }
    var host = text[...]
    // A colon within brackets belongs to an IPv6 address.
    if let colon = host.lastIndex(of: ":"), !host[colon...].contains("]") {
      let port = host[host.index(after: colon)...]
      guard port.utf8.count <= 5, port.utf8.allSatisfy({ (48...57).contains($0) }), let number = UInt16(port), number > 0 else { return false }
      host = host[..<colon]
    }
    if host.hasPrefix("["), host.hasSuffix("]") {
      let address = host.dropFirst().dropLast().utf8
      return !address.isEmpty && address.allSatisfy { $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: ".") || Self.isHexadecimal($0) }
    }
    guard let first = host.utf8.first, first.isLetterOrDigit else { return false }
    return host.utf8.allSatisfy { $0.isLetterOrDigit || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
  }

  private static func isHexadecimal(_ byte: UInt8) -> Bool {
    (48...57).contains(byte) || (65...70).contains(byte) || (97...102).contains(byte)
  }
}

/// A repository's name (Distribution specification, "Pulling manifests"): components of lower-case letters and digits with single separators.
package struct RepositoryName: Hashable, Sendable, Comparable, CustomStringConvertible {
  package let text: String
  package var description: String { text }

  package init(_ text: String) throws(InvalidReference) {
    let components = text.split(separator: "/", omittingEmptySubsequences: false)
    guard text.utf8.count <= 255, components.allSatisfy({ Self.isComponent(Array($0.utf8)) }) else {
      throw InvalidReference(
        noun: "repository", text: text, reason: "its components are lower-case letters and digits, separated by '.', '_', '__' or dashes")
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

  private init(unchecked text: String) { self.text = text }

  /// What a reference without tag and digest means.
  package static let latest = ImageTag(unchecked: "latest")

  package init(_ text: String) throws(InvalidReference) {
    let bytes = Array(text.utf8)
    func isWord(_ byte: UInt8) -> Bool {
      (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || byte == UInt8(ascii: "_")
    }
    guard let first = bytes.first, bytes.count <= 128, isWord(first),
      bytes.allSatisfy({ isWord($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "-") })
    else {
      throw InvalidReference(
        noun: "tag", text: text, reason: "it is 1 to 128 letters, digits, '_', '.' or '-', and begins with neither '.' nor '-'")
    }
    self.text = text
  }
}

/// A text that is no reference, registry, repository or tag.
package struct InvalidReference: BlamedError, Hashable {
  /// What it should have been, for example "image reference".
  package let noun: String
  package let text: String
  package let reason: String
  package var blame: Blame { .request }

  package var description: String { "'\(text.prefix(200))' is not a valid \(noun): \(reason)" }
}
