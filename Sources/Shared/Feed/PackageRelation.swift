import FoundationEssentials

/// One item of `Provides`, `Conflicts` or `Replaces`: a name, and which versions are meant.
///
/// Written as Debian's control files have it: `name`, or `name (>= 1.2)`. The comparisons and their order are libopkg's (`str_to_constraint` in
/// libopkg/pkg_depends.c), where `<` means `<=` and `>` means `>=`.
package struct PackageRelation: Hashable, Sendable, CustomStringConvertible {
  /// Which versions are meant: those on these sides of `version`.
  package struct Constraint: Hashable, Sendable {
    package enum Comparison: String, Hashable, Sendable {
      case earlier = "<<"
      case earlierOrEqual = "<="
      case equal = "="
      case laterOrEqual = ">="
      case later = ">>"
    }
    package var comparison: Comparison
    package var version: OpkgVersion
  }

  /// A package's, or one that no package has (`/bin/sh`): 1 to 255 printable ASCII bytes without blanks and without `,()|<>=`.
  package let name: String
  /// nil: any version. Of a provided name: no version is promised.
  package let constraint: Constraint?

  package init(name: String, constraint: Constraint?) {
    self.name = name
    self.constraint = constraint
  }

  package var description: String { constraint.map { "\(name) (\($0.comparison.rawValue) \($0.version))" } ?? name }

  /// Whether a package that offers `offer` (its own name and version, or what it provides) is meant.
  ///
  /// A name that is provided without a version satisfies no relation that asks for one. That is Debian's rule and that of libsolv, with which
  /// OpenEmbedded builds opkg; opkg's own solver takes the providing package's version instead.
  package func isMet(by offer: PackageRelation) -> Bool {
    guard name == offer.name else { return false }
    guard let wanted = constraint else { return true }
    guard let offered = offer.constraint else { return false }
    return wanted.meets(offered)
  }
}

extension PackageRelation.Constraint {
  private var allowsEarlier: Bool { comparison == .earlier || comparison == .earlierOrEqual }
  private var allowsLater: Bool { comparison == .later || comparison == .laterOrEqual }
  private var allowsEqual: Bool { comparison == .equal || comparison == .earlierOrEqual || comparison == .laterOrEqual }

  /// Whether some version fits both.
  func meets(_ other: Self) -> Bool {
    if version < other.version { return allowsLater || other.allowsEarlier }
    if other.version < version { return allowsEarlier || other.allowsLater }
    return allowsEqual && other.allowsEqual || allowsEarlier && other.allowsEarlier || allowsLater && other.allowsLater
  }
}
