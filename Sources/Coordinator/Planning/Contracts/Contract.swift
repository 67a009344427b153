import BuildModel

/// A contract as a device repository holds it, of the kinds that matter to planning, in any of its three generations.
///
/// 1. 2020-11: a plain `<block>.json` with `name`, `device-types`, `os-versions`, `architectures` (`any` allowed) and `contents.packages`;
/// 2. 2021-03: a `sw.image.overlay` contract that requires `sw.package` contracts, whose `composedOf` lists the packages;
/// 3. 2021-05 on: one contract, whose `composedOf` mixes recipes and packages.
package struct Contract: Hashable, Sendable {
  package struct Part: Codable, Hashable, Sendable {
    package var type: String
    package var slug: String?
    /// A semver range or codename (since 2021-12); before, `version` held it.
    package var externalVersion: String?
    package var version: String?
    /// What a `hw.device-type` is asked for besides its name; `arch` is the only one that is known here.
    package var data: [String: String]?
  }
  /// An entry of `requires`: a bare atom, conjunctions, alternatives, exclusions; all that is given must hold, and what is not given is no constraint.
  package struct Requirement: Hashable, Sendable {
    package var atom: Part?
    package var allOf: [Requirement] = []
    package var anyOf: [Requirement] = []
    package var not: [Requirement] = []
  }

  package var slug: String
  package var type: String
  package var aliases: [String]
  package var requires: [Requirement]
  package var composedOf: [Part]
  /// `data.store` and `data.reboot-required`, where given.
  package var store: String?
  package var rebootRequired: String?
  /// The file it was read from.
  package var file: String
  /// The directory of the file, below the repository's root, if a `Dockerfile` lies in it.
  package var dockerfileDirectory: RelativePath?
  /// Whether a `Dockerfile.template` lies beside the file; such a one is not used, and an error can say so.
  package var hasDockerfileTemplate = false

  /// Whether this describes a hostOS block (`sw.image.overlay`, `sw.image.service`, …).
  package var isBlock: Bool { type.hasPrefix("sw.image.") }
  /// Whether this is a package list of the second generation.
  package var isPackageList: Bool { type == "sw.package" }
  /// The image class that the type stands for: `overlay` or `service`.
  package var imageClass: String { String(type.dropFirst("sw.image.".count)) }
  /// bitbake targets; the second generation called them `sw.package.yocto.target`.
  package var recipes: [String] {
    composedOf.filter { $0.type == "sw.recipe.yocto" || $0.type == "sw.package.yocto.target" }.compactMap(\.slug)
  }
  package var packages: [String] { composedOf.filter { $0.type == "sw.package.yocto.ipk" }.compactMap(\.slug) }
  /// The package lists that a block of the second generation names, wherever in its requirements.
  package var packageLists: [String] { requires.flatMap(\.packageLists) }
}

extension Contract.Requirement {
  /// One entry that is one atom.
  static func atom(_ part: Contract.Part) -> Self { Self(atom: part) }

  /// Lists that must hold; one that is excluded, or is but an alternative, is no part of the block.
  fileprivate var packageLists: [String] {
    (atom.flatMap { $0.type == "sw.package" ? $0.slug : nil }.map { [$0] } ?? []) + allOf.flatMap(\.packageLists)
  }
}
