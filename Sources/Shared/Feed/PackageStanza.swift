import BuildModel
import FoundationEssentials

/// One stanza of a `Packages` file.
package struct PackageStanza: Hashable, Sendable {
  package var name: PackageName
  package var version: OpkgVersion
  /// `Architecture:`; the directory decides about preference, this field says whether the index belongs to it.
  package var architecture: String
  /// Relative to the index's directory.
  package var file: RelativePath
  package var size: Int64
  package var sha256: Digest?
  /// Lower-case hexadecimal, only looked at when there is no sha256.
  package var md5: String?
  /// The recipe (`OE:`), else what `Source:` names.
  package var recipe: String?
  package var license: String?
  /// Names that the package has besides its own.
  package var provides: [PackageRelation] = []
  /// What must not be installed beside the package; the alternatives of one item are all meant.
  package var conflicts: [PackageRelation] = []
  package var replaces: [PackageRelation] = []
  /// Items of these three fields that cannot be read, with the field's name in front.
  package var unreadableRelations: [String] = []

  /// Whether both promise the same bytes, by the digests that the index gives.
  func hasSameContent(as other: PackageStanza) -> Bool { size == other.size && sha256 == other.sha256 && md5 == other.md5 }
}

/// A place of an index that is wrong.
package struct IndexProblem: Hashable, Sendable {
  /// Counted from 1.
  package var line: Int
  /// The stanza's package, as far as it was read.
  package var package: String?
  package var reason: String
}
