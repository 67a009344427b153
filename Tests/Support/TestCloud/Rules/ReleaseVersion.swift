/// What the server computes of a release's version: section by section as devices and clients read it back.
package struct ReleaseVersion: Hashable, Sendable {
  package var semver: SemanticVersion
  /// `""` is none.
  package var variant: String
  /// nil for a draft.
  package var revision: Int?
  package var createdAt: CloudDate

  /// Releases that count their revisions together, within one application. Build metadata is not in it.
  struct Series: Hashable {
    var major: Int
    var minor: Int
    var patch: Int
    var prerelease: [String]
    var variant: String
  }

  var series: Series {
    Series(major: semver.major, minor: semver.minor, patch: semver.patch, prerelease: semver.prerelease, variant: variant)
  }

  private var prerelease: [String] { semver.prerelease + (revision == nil ? [String(createdAt.milliseconds)] : []) }

  private var build: [String] {
    var parts = semver.build
    if let revision, revision > 0, !parts.contains("rev\(revision)") { parts.append("rev\(revision)") }
    return variant.isEmpty ? parts : parts + [variant]
  }

  /// `raw_version` without its part from `+` on.
  package var plain: String {
    "\(semver.major).\(semver.minor).\(semver.patch)" + (prerelease.isEmpty ? "" : "-" + prerelease.joined(separator: "."))
  }

  package var raw: String { plain + (build.isEmpty ? "" : "+" + build.joined(separator: ".")) }

  /// The JSON field `version`.
  var json: JSONValue {
    let parts: [JSONValue] =
      semver.prerelease.map { .string($0) } + (revision == nil ? [.integer(createdAt.milliseconds)] : [])
    return [
      "raw": .string(raw), "major": .integer(semver.major), "minor": .integer(semver.minor), "patch": .integer(semver.patch),
      "prerelease": .array(parts), "build": .array(build.map { .string($0) }), "version": .string(plain),
    ]
  }
}

extension ReleaseVersion {
  /// Of a row whose `semver`, `variant`, `revision` and `created_at` are set.
  init(_ row: CloudRow) {
    semver = row["semver"].string.flatMap { SemanticVersion($0) } ?? .unset
    variant = row["variant"].string ?? ""
    revision = row["revision"].int
    createdAt = row["created_at"].string.flatMap { CloudDate(text: $0) } ?? CloudDate(milliseconds: 0)
  }

  /// Writes all computed fields.
  func store(in row: inout CloudRow) {
    row.values["semver"] = .string(semver.text)
    row.values["semver_major"] = .integer(semver.major)
    row.values["semver_minor"] = .integer(semver.minor)
    row.values["semver_patch"] = .integer(semver.patch)
    row.values["semver_prerelease"] = .string(semver.prerelease.joined(separator: "."))
    row.values["semver_build"] = .string(semver.build.joined(separator: "."))
    row.values["variant"] = .string(variant)
    row.values["revision"] = revision.map { .integer($0) } ?? .null
    row.values["is_final"] = .bool(revision != nil)
    row.values["raw_version"] = .string(raw)
    row.values["version"] = json
  }
}
