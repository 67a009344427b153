import FoundationEssentials

enum ApplicationRules {
  static func prepare(_ change: inout RowChange, _ database: inout CloudDatabase) throws(CloudRefusal) {
    let name = change.new["app_name"].string ?? ""
    guard (4...100).contains(name.count), name.utf8.allSatisfy({ $0.isLetterOrDigit || $0 == 45 || $0 == 95 }) else {
      throw .invalid("App name may only contain [a-zA-Z0-9_-] and must have 4 to 100 characters.")
    }
    if change.old == nil {
      change.new.values["should_track_latest_release"] = true
      change.new.values["actor"] = .integer(try database.insert("actor", ["created_at": .string(change.now.text)]).id)
      if change.new["application_type"].isNull {
        change.new.values["application_type"] = database.first("application_type", where: "slug", is: "default").map { .integer($0.id) } ?? .null
      }
      if change.new["uuid"].isNull { change.new.values["uuid"] = .string(Randomness.uuid()) }
    }
    guard let uuid = change.new["uuid"].string, uuid.utf8.count == 32, uuid.utf8.allSatisfy({ $0.isLetterOrDigit }) else {
      throw .invalid("\"uuid\" must be 32 hexadecimal digits.")
    }
    guard let organization = change.new.reference("organization").flatMap({ database.row("organization", $0) }) else {
      throw .unauthorized
    }
    change.new.values["slug"] = .string("\(organization["handle"].string ?? "")/\(name)".lowercased())
    if let old = change.old, change.changes("is_for__device_type") {
      guard architecture(old, database) == architecture(change.new, database) else {
        throw .invalid("Application device type can only be changed within the same CPU architecture.")
      }
    }
    if change.changes("should_be_running__release"), let id = change.new.reference("should_be_running__release") {
      let release = database.row("release", id)
      guard release?["status"] == "success", release?.reference("belongs_to__application") == change.new.id else {
        throw .invalid(
          "It is necessary that each release that should be running on an application, has a status that is equal to \"success\" "
            + "and belongs to the application.")
      }
    }
  }

  private static func architecture(_ row: CloudRow, _ database: CloudDatabase) -> Int? {
    row.reference("is_for__device_type").flatMap { database.row("device_type", $0) }?.reference("is_of__cpu_architecture")
  }
}
