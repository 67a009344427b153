/// Versions, revisions and final states of releases, and the release that an application's devices should run.
enum ReleaseRules {
  static func prepare(_ change: inout RowChange, _ database: CloudDatabase) throws(CloudRefusal) {
    var version = ReleaseVersion(change.old ?? change.new)
    version.createdAt = change.new["created_at"].string.flatMap { CloudDate(text: $0) } ?? change.now
    let wasFinal = change.old.map { $0["is_final"] == true } ?? false
    // A release that says nothing about it is final from the start.
    let isFinal = change.named.contains("is_final") ? change.new["is_final"] == true : change.old == nil || wasFinal
    if wasFinal && !isFinal { throw .invalid("Finalized releases cannot be set back to draft.") }

    if change.named.contains("semver") || change.old == nil {
      version.semver = try semver(change.new["semver"])
    }
    version.variant = change.new["variant"].string ?? ""
    if version.variant.contains(where: { !($0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-")) }) {
      throw .invalid("\"variant\" may only contain [a-zA-Z0-9-].")
    }
    if isFinal, !wasFinal || !change.named.isDisjoint(with: ["semver", "variant", "belongs_to__application"]) {
      try assignRevision(&version, change, database)
    }
    if isFinal, !wasFinal { change.new.values["is_finalized_at__date"] = .string(change.now.text) }
    version.store(in: &change.new)
    change.new.values["update_timestamp"] = .string(change.now.text)
    try checkState(change, database)
  }

  private static func semver(_ value: JSONValue) throws(CloudRefusal) -> SemanticVersion {
    guard let text = value.string else { return .unset }
    guard let version = SemanticVersion(text) else { throw .invalid("Invalid semver format: '\(text)'") }
    guard version.prerelease.joined(separator: ".").count <= 100, version.build.joined(separator: ".").count <= 50 else {
      throw .invalid("The prerelease part of a semver has at most 100 characters, the build part at most 50.")
    }
    return version
  }

  /// One more than the greatest of the same series, whatever became of those releases.
  private static func assignRevision(_ version: inout ReleaseVersion, _ change: RowChange, _ database: CloudDatabase) throws(CloudRefusal) {
    let application = change.new["belongs_to__application"]
    let taken = database.rows("release").filter { $0.id != change.old?.id && $0["belongs_to__application"] == application }
      .map { ReleaseVersion($0) }.filter { $0.series == version.series }.compactMap(\.revision)
    let revision = taken.max().map { $0 + 1 } ?? 0
    if let stated = version.semver.statedRevision, stated != revision {
      throw .invalid("The revision rev\(stated) of the semver build part does not match the revision \(revision) of the release.")
    }
    version.revision = revision
  }

  private static func checkState(_ change: RowChange, _ database: CloudDatabase) throws(CloudRefusal) {
    if !change.new["invalidation_reason"].isNull, change.new["is_invalidated"] != true {
      throw .invalid("It is necessary that each release that has an invalidation reason, is invalidated.")
    }
    if change.new["status"] == "success" {
      let same = database.rows("release").contains { other in
        other.id != change.old?.id && other["status"] == "success" && other["commit"] == change.new["commit"]
          && other["belongs_to__application"] == change.new["belongs_to__application"]
      }
      if same {
        throw .invalid(
          "It is necessary that each release that has a status that is equal to \"success\" and has a commit1, belongs to an application "
            + "that owns at most one release2 that has a status that is equal to \"success\" and has a commit2 which is equal to the commit1.")
      }
    }
  }

  private static func isTrackable(_ row: CloudRow) -> Bool {
    row["status"] == "success" && row["is_final"] == true && row["is_invalidated"] != true && row["is_passing_tests"] == true
  }

  /// Moves the application to its latest trackable release when this change made one or ended one.
  static func follow(_ change: RowChange, _ database: inout CloudDatabase) throws(CloudRefusal) {
    guard change.old.map(isTrackable) ?? false != isTrackable(change.new), let id = change.new.reference("belongs_to__application"),
      var application = database.row("application", id), application["should_track_latest_release"] == true
    else { return }
    let latest = database.rows("release").filter { $0.reference("belongs_to__application") == id && isTrackable($0) }
      .max { ($0["start_timestamp"].string ?? "", $0.id) < ($1["start_timestamp"].string ?? "", $1.id) }
    application.values["should_be_running__release"] = latest.map { .integer($0.id) } ?? .null
    try database.update("application", application)
  }
}
