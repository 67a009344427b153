import BuildModel

/// Decides whether a block's contract fits a device type, and collects every reason why not.
package enum ContractMatcher {
  /// What a contract is held against.
  package struct Context: Sendable {
    package var slug: Slug
    package var aliases: [String]
    package var arch: Architecture
    package var osVersion: OSVersion?
    package var codename: String

    package init(slug: Slug, aliases: [String], arch: Architecture, osVersion: OSVersion?, codename: String) {
      self.slug = slug
      self.aliases = aliases
      self.arch = arch
      self.osVersion = osVersion
      self.codename = codename
    }
  }

  package enum Kind: String, Hashable, Sendable {
    case deviceType = "device-type"
    case osVersion = "os-version"
    case yocto
    case architecture = "arch"
    case unknown = "unknown-requirement"
  }
  package struct Reason: Hashable, Sendable, CustomStringConvertible {
    package var kind: Kind
    package var text: String
    package var description: String { text }
  }

  /// Entries of `requires` are all needed; inside one: all of `allOf`, one of `anyOf`, none of `not`. Missing parts are no constraint.
  package static func reasons(_ contract: Contract, against context: Context) -> [Reason] {
    var reasons: [Reason] = []
    for requirement in contract.requires {
      reasons += requirement.allOf.compactMap { unmet($0, context) }
      let alternatives = requirement.anyOf.map { unmet($0, context) }
      if !alternatives.isEmpty, !alternatives.contains(where: { $0 == nil }) {
        let unmet = alternatives.compactMap { $0 }
        let kinds = Set(unmet.map(\.kind))
        let slugs = requirement.anyOf.compactMap(\.slug)
        // A contract may list dozens of device types: they are named once.
        let text =
          kinds == [.deviceType] && slugs.count == unmet.count
          ? "needs device type \(slugs.joined(separator: " or ")), this is \(context.slug)"
          : "none of its alternatives holds: " + unmet.map(\.text).joined(separator: ", ")
        reasons.append(Reason(kind: kinds.count == 1 ? unmet[0].kind : .deviceType, text: text))
      }
      for part in requirement.not {
        if isUnreadable(part) {
          // What cannot be read excludes rather than allows.
          reasons += [unmet(part, context)].compactMap { $0 }
        } else if unmet(part, context) == nil {
          let version = part.externalVersion ?? part.version
          let words = ["excludes", part.type, part.slug, version].compactMap { $0 }
          reasons.append(Reason(kind: kind(part), text: words.joined(separator: " ")))
        }
      }
    }
    return reasons
  }

  private static func kind(_ part: Contract.Part) -> Kind {
    switch (part.type, part.slug) {
    case ("hw.device-type", _): .deviceType
    case ("arch.sw", _): .architecture
    case ("sw.os", "yocto"): .yocto
    case ("sw.os", "balenaos"), ("sw.os", "balena-os"): .osVersion
    default: .unknown
    }
  }

  private static func isUnreadable(_ part: Contract.Part) -> Bool {
    guard kind(part) == .osVersion, let version = part.externalVersion ?? part.version else { return false }
    return VersionRange(version) == nil
  }

  private static func unmet(_ part: Contract.Part, _ context: Context) -> Reason? {
    let version = part.externalVersion ?? part.version
    let kind = kind(part)
    func reason(_ text: String) -> Reason { Reason(kind: kind, text: text) }
    switch kind {
    case .deviceType:
      guard let slug = part.slug else { return nil }
      return slug == context.slug.text || context.aliases.contains(slug) ? nil : reason("needs device type \(slug), this is \(context.slug)")
    case .architecture:
      guard let slug = part.slug else { return nil }
      return slug == context.arch.rawValue ? nil : reason("needs architecture \(slug), this is \(context.arch)")
    case .yocto:
      guard let version else { return nil }
      return version == context.codename ? nil : reason("needs Yocto \(version), this is \(context.codename)")
    case .osVersion:
      guard let version else { return nil }
      guard let range = VersionRange(version) else { return reason("'\(version)' is not a version range") }
      guard let os = context.osVersion else { return reason("needs balenaOS \(version), the version is unknown") }
      return range.contains(os) ? nil : reason("needs balenaOS \(version), this is \(os)")
    case .unknown: return reason("unknown requirement \(part.type) \(part.slug ?? "")")
    }
  }
}
