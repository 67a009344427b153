import BuildModel

/// Decides whether a block's contract fits a device type, requirement by requirement.
package enum ContractMatcher {
  /// What a contract is held against.
  package struct Context: Sendable {
    package var slug: Slug
    package var aliases: [String]
    package var arch: Architecture
    package var osVersion: OSVersion?
    package var codename: String
    /// The package lists (second generation) that the repository holds, by slug.
    package var packageLists: [String: Contract]

    package init(
      slug: Slug, aliases: [String], arch: Architecture, osVersion: OSVersion?, codename: String, packageLists: [String: Contract] = [:]
    ) {
      self.slug = slug
      self.aliases = aliases
      self.arch = arch
      self.osVersion = osVersion
      self.codename = codename
      self.packageLists = packageLists
    }
  }

  /// The verdicts on the entries of `requires`, which are all needed; a block fits when all are met.
  package static func explain(_ contract: Contract, against context: Context) -> [RequirementVerdict] {
    explain(contract.requires, context, within: [])
  }

  private static func explain(_ requires: [Contract.Requirement], _ context: Context, within lists: Set<String>) -> [RequirementVerdict] {
    let whole = RequirementVerdict.group(.all, requires.map { verdict($0, context, lists) })
    return whole.form == .all ? whole.parts : [whole]
  }

  private static func verdict(
    _ requirement: Contract.Requirement, _ context: Context, _ lists: Set<String>
  ) -> RequirementVerdict {
    var parts = (requirement.atom.map { [atom($0, context, lists)] } ?? []) + requirement.allOf.map { verdict($0, context, lists) }
    if !requirement.anyOf.isEmpty { parts.append(.group(.any, requirement.anyOf.map { verdict($0, context, lists) })) }
    if !requirement.not.isEmpty { parts.append(.group(.none, requirement.not.map { verdict($0, context, lists) })) }
    return .group(.all, parts)
  }

  private static func kind(_ part: Contract.Part) -> RequirementVerdict.Kind {
    switch (part.type, part.slug) {
    case ("hw.device-type", _): .deviceType
    case ("arch.sw", _): .architecture
    case ("sw.os", "yocto"): .yocto
    case ("sw.os", "balenaos"), ("sw.os", "balena-os"): .osVersion
    case ("sw.package", .some): .packageList
    default: .unknown
    }
  }

  private static func atom(_ part: Contract.Part, _ context: Context, _ lists: Set<String>) -> RequirementVerdict {
    let version = part.externalVersion ?? part.version
    let kind = kind(part)
    func decided(_ holds: Bool, _ demand: String, _ found: String) -> RequirementVerdict { .atom(kind, holds ? .met : .unmet, demand, found) }
    switch kind {
    case .deviceType: return deviceType(part, context)
    case .architecture:
      guard let slug = part.slug else { return decided(true, "architecture of any kind", "this is \(context.arch)") }
      return decided(slug == context.arch.rawValue, "architecture \(slug)", "this is \(context.arch)")
    case .yocto:
      guard let version else { return decided(true, "Yocto of any version", "this is \(context.codename)") }
      return decided(version == context.codename, "Yocto \(version)", "this is \(context.codename)")
    case .osVersion:
      guard let version else { return decided(true, "balenaOS of any version", "this is \(context.osVersion?.text ?? "unknown")") }
      let demand = "balenaOS \(version)"
      guard let range = VersionRange(version) else { return .atom(kind, .unreadable, demand, "which is not a version range") }
      guard let os = context.osVersion else { return .atom(kind, .unreadable, demand, "the version is unknown") }
      return decided(range.contains(os), demand, "this is \(os)")
    case .packageList: return packageList(part.slug ?? "", context, lists)
    case .unknown:
      let words = [part.type, part.slug, version].compactMap { $0 }.joined(separator: " ")
      return decided(false, words, "which blockfarm knows nothing of")
    }
  }

  private static func deviceType(_ part: Contract.Part, _ context: Context) -> RequirementVerdict {
    var demands: [String] = []
    var isMet = true
    if let slug = part.slug {
      demands.append(slug)
      isMet = slug == context.slug.text || context.aliases.contains(slug)
    }
    var data = part.data ?? [:]
    if let arch = data.removeValue(forKey: "arch") {
      demands.append("of architecture \(arch)")
      isMet = isMet && arch == context.arch.rawValue
    }
    for (key, value) in data.sorted(by: { $0.key < $1.key }) { demands.append("with \(key) \(value)") }
    let demand = "device type \(demands.isEmpty ? "of any name" : demands.joined(separator: " "))"
    // What cannot be looked up is not taken for granted.
    if isMet, !data.isEmpty { return .atom(.deviceType, .unreadable, demand, "which cannot be told of \(context.slug)") }
    let found = part.data?["arch"] == nil ? "this is \(context.slug)" : "this is \(context.slug) of architecture \(context.arch)"
    return .atom(.deviceType, isMet ? .met : .unmet, demand, found)
  }

  /// A package list is met where it exists and its own requirements are.
  private static func packageList(_ slug: String, _ context: Context, _ lists: Set<String>) -> RequirementVerdict {
    let demand = "package list \(slug)"
    guard let list = context.packageLists[slug] else {
      return .atom(.packageList, .unmet, demand, "the repository has no sw.package contract of this name")
    }
    guard !lists.contains(slug) else { return .atom(.packageList, .unmet, demand, "which requires itself") }
    let parts = explain(list.requires, context, within: lists.union([slug]))
    let whole = RequirementVerdict.group(.all, parts)
    return .atom(.packageList, whole.result, demand, "the repository has it", parts: parts)
  }
}
