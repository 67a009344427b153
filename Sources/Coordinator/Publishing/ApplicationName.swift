import BuildModel

/// What an application of a device type holds.
package enum ApplicationRole: Hashable, Sendable {
  /// The root file system: `<slug>`.
  case hostapp
  /// One hostOS block: `<slug>-<block>`.
  case block(BlockName)
  /// Hostapp and blocks as the services of one release: `<slug>-hostos`.
  case hostOS
}

/// A balenaCloud application by organization and name.
///
/// The server accepts `[a-zA-Z0-9_-]`, 4 to 100 characters, and makes the slug from both in lower case (open-balena-api, application model).
package struct ApplicationName: Hashable, Sendable, Comparable, CustomStringConvertible {
  package let organization: String
  package let name: String

  package init(organization: String, name: String) throws(PublishingError) {
    guard Self.isHandle(organization) else {
      throw .invalid(what: "organization '\(organization)'", reason: "a handle has lower-case letters, digits and '_' only")
    }
    guard (4...100).contains(name.utf8.count) else {
      throw .invalid(what: "application name '\(name)'", reason: "it has \(Counted(name.utf8.count, "character")); 4 to 100 are allowed")
    }
    guard let bad = name.unicodeScalars.first(where: { !Self.isAllowed($0) }) else {
      self.organization = organization
      self.name = name
      return
    }
    throw .invalid(what: "application name '\(name)'", reason: "'\(bad)' is not allowed; letters, digits, '_' and '-' are")
  }

  /// The application of a device type: `<slug>`, `<slug>-<block>` or `<slug>-hostos`, with `-esr` behind it for an extended support release.
  package init(organization: String, slug: Slug, role: ApplicationRole, isESR: Bool) throws(PublishingError) {
    let base =
      switch role {
      case .hostapp: slug.text
      case .block(let name): "\(slug)-\(name)"
      case .hostOS: "\(slug)-hostos"
      }
    try self.init(organization: organization, name: isESR ? base + "-esr" : base)
  }

  /// As the server spells it.
  package var slug: String { "\(organization)/\(name)".lowercased() }
  package var description: String { slug }
  package static func < (a: Self, b: Self) -> Bool { a.slug < b.slug }

  private static func isHandle(_ text: String) -> Bool {
    !text.isEmpty && text.utf8.count <= 100 && text.utf8.allSatisfy { (48...57).contains($0) || (97...122).contains($0) || $0 == UInt8(ascii: "_") }
  }

  private static func isAllowed(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "a"..."z", "A"..."Z", "0"..."9", "_", "-": true
    default: false
    }
  }
}
