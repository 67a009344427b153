/// Our own policy, which the real server does not have: what a careful publisher never does.
struct StrictRules {
  let database: CloudDatabase
  let requiredAssets: [String]
  let hasManifest: (_ repository: String, _ digest: String) -> Bool

  /// After the row was stored.
  func check(_ change: RowChange) throws(CloudRefusal) {
    switch change.resource.name {
    case "release": try check(release: change)
    case "image__is_part_of__release", "image_label", "image_environment_variable", "release_asset":
      if let release = Self.release(of: change.new, in: change.resource, database), release["is_final"] == true {
        throw refused("a final release gets no further \(change.resource.name)")
      }
    case "image":
      let isFinal = database.rows("image__is_part_of__release").contains { part in
        part.reference("image") == change.new.id
          && part.reference("is_part_of__release").flatMap { database.row("release", $0) }?["is_final"] == true
      }
      if isFinal { throw refused("an image of a final release does not change") }
      if change.new["status"] == "success" { try check(image: change.new) }
    default: break
    }
  }

  static func checkDeletion(of row: CloudRow, in resource: CloudResource, _ database: CloudDatabase) throws(CloudRefusal) {
    let kept = ["release", "release_asset", "image__is_part_of__release", "image_label", "image_environment_variable"]
    guard kept.contains(resource.name), let release = release(of: row, in: resource, database), release["is_final"] == true else { return }
    throw .invalid("strict: nothing of a final release is deleted.")
  }

  /// Allowed after the end: what says something about a release without changing it.
  private static let editable: Set<String> = ["note", "phase", "is_invalidated", "invalidation_reason", "known_issue_list", "update_timestamp"]

  private func check(release change: RowChange) throws(CloudRefusal) {
    let new = change.new
    if let old = change.old, old["is_final"] == true {
      let changed = Set(new.values.keys.filter { old[$0] != new[$0] }).subtracting(Self.editable)
      guard changed.isEmpty else { throw refused("a final release does not change: \(changed.sorted().joined(separator: ", "))") }
      return
    }
    if new["status"] == "success" { try checkImages(of: new) }
    guard new["is_final"] == true else { return }
    guard new["status"] == "success" else { throw refused("only a successful release becomes final") }
    let application = new.reference("belongs_to__application").flatMap { database.row("application", $0) }
    guard application?["is_host"] == true else { return }
    let present = Set(
      database.rows("release_asset").filter { $0.reference("release") == new.id && !$0["asset"].isNull }.compactMap { $0["asset_key"].string })
    let missing = requiredAssets.filter { !present.contains($0) }
    guard missing.isEmpty else { throw refused("required assets are missing: \(missing.joined(separator: ", "))") }
  }

  private func checkImages(of release: CloudRow) throws(CloudRefusal) {
    let images = database.rows("image__is_part_of__release").filter { $0.reference("is_part_of__release") == release.id }
      .compactMap { $0.reference("image").flatMap { database.row("image", $0) } }
    guard !images.isEmpty else { throw refused("a successful release has at least one image") }
    for image in images {
      guard image["status"] == "success" else { throw refused("image \(image.id) of a successful release is \(image["status"].string ?? "")") }
      try check(image: image)
    }
    let built = Set(images.compactMap { $0.reference("is_a_build_of__service").flatMap { database.row("service", $0) }?["service_name"].string })
    let composed = Set((release["composition"]["services"].object ?? [:]).keys)
    guard built == composed, built.count == images.count else {
      throw refused("the composition has services \(composed.sorted()), the release has images of \(built.sorted())")
    }
  }

  private func check(image: CloudRow) throws(CloudRefusal) {
    guard let digest = image["content_hash"].string, let location = image["is_stored_at__image_location"].string,
      let slash = location.firstIndex(of: "/")
    else { throw refused("image \(image.id) is a success without a content hash") }
    let repository = String(location[location.index(after: slash)...])
    guard hasManifest(repository, digest) else { throw refused("the registry has no manifest \(digest) in \(repository)") }
  }

  private static func release(of row: CloudRow, in resource: CloudResource, _ database: CloudDatabase) -> CloudRow? {
    switch resource.name {
    case "release": return row
    case "release_asset": return row.reference("release").flatMap { database.row("release", $0) }
    case "image__is_part_of__release": return row.reference("is_part_of__release").flatMap { database.row("release", $0) }
    default:
      return row.reference("release_image").flatMap { database.row("image__is_part_of__release", $0) }?
        .reference("is_part_of__release").flatMap { database.row("release", $0) }
    }
  }

  private func refused(_ reason: String) -> CloudRefusal { .invalid("strict: \(reason).") }
}
