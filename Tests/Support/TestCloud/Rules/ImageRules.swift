enum ImageRules {
  static func prepare(_ change: inout RowChange, registry: String) throws(CloudRefusal) {
    if change.old == nil { change.new.values["is_stored_at__image_location"] = .string("\(registry)/v2/\(Randomness.hex(bytes: 16))") }
    if change.new["status"] == "success", change.new["push_timestamp"].isNull {
      throw .invalid("It is necessary that each image that has a status that is equal to \"success\", has a push timestamp.")
    }
  }

  /// Several images need an application type for several containers.
  static func checkMembership(_ change: RowChange, _ database: CloudDatabase) throws(CloudRefusal) {
    guard let release = change.new.reference("is_part_of__release") else { return }
    let others = database.rows("image__is_part_of__release").filter { $0.id != change.old?.id && $0.reference("is_part_of__release") == release }
    let application = database.row("release", release)?.reference("belongs_to__application").flatMap { database.row("application", $0) }
    let type = application?.reference("application_type").flatMap { database.row("application_type", $0) }
    if !others.isEmpty, type?["supports_multicontainer"] != true {
      throw .invalid(
        "It is necessary that each application that owns a release1 that contains at least 2 images, has an application type that "
          + "supports multicontainer.")
    }
  }
}
