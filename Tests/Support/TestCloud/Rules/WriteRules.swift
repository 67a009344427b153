/// A row about to be written, and what there was before.
struct RowChange {
  let resource: CloudResource
  /// nil when the row is new.
  let old: CloudRow?
  var new: CloudRow
  /// The fields that the request names.
  let named: Set<String>
  let now: CloudDate

  func changes(_ field: String) -> Bool { old?[field] != new[field] }
}

/// What must be true of rows, beyond single fields; and what the server sets by itself.
struct WriteRules {
  /// `host:port` of the registry, for the locations of images.
  let registry: String

  /// Before the row is stored.
  func prepare(_ change: inout RowChange, _ database: inout CloudDatabase) throws(CloudRefusal) {
    switch change.resource.name {
    case "application": try ApplicationRules.prepare(&change, &database)
    case "application_tag", "release_tag": try TagRules.check(change)
    case "service": try named(change.new["service_name"], "service name")
    case "release": try ReleaseRules.prepare(&change, database)
    case "image": try ImageRules.prepare(&change, registry: registry)
    case "image__is_part_of__release": try ImageRules.checkMembership(change, database)
    default: break
    }
  }

  /// After the row is stored.
  func finish(_ change: RowChange, _ database: inout CloudDatabase) throws(CloudRefusal) {
    if change.resource.name == "release" { try ReleaseRules.follow(change, &database) }
  }

  func checkDeletion(of row: CloudRow, in resource: CloudResource, _ database: CloudDatabase) throws(CloudRefusal) {
    guard resource.name == "release" else { return }
    if database.first("application", where: "should_be_running__release", is: .integer(row.id)) != nil {
      throw .invalid("It is necessary that a release that should be running on an application is not deleted.")
    }
  }

  private func named(_ value: JSONValue, _ what: String) throws(CloudRefusal) {
    if value.string?.isEmpty ?? true { throw .invalid("It is necessary that each \(what) has at least 1 character.") }
  }
}
