extension CloudModel {
  static let applicationResources: [CloudResource] = [
    CloudResource(
      name: "application",
      fields: [
        .date("created_at").computed(), .reference("actor", to: "actor", "is_of__application").computed(),
        .reference("organization", to: "organization", "application", "owns__application").required(),
        .text("app_name", limit: 100).required(), .text("slug").computed(), .text("uuid", limit: 32),
        .reference("application_type", to: "application_type", "application"),
        .reference("is_for__device_type", to: "device_type", "is_default_for__application", "application").required(),
        .reference("should_be_running__release", to: "release", "should_be_running_on__application", whenDeleted: .clear),
        .boolean("should_track_latest_release", initially: true),
        .text("is_of__class", choices: ["fleet", "block", "app"]).initially("fleet").adminOnly(),
        .boolean("is_public").adminOnly(), .boolean("is_host").adminOnly(), .boolean("is_archived"), .boolean("is_discoverable"),
        .text("is_stored_at__repository_url", limit: 1000),
      ], uniqueKeys: [["slug"], ["uuid"]]),
    tag("application_tag", of: "application", keyLimit: 100),
    CloudResource(
      name: "service",
      fields: [
        .date("created_at").computed(), .reference("application", to: "application", "service").required(),
        .text("service_name", limit: 63).required(),
      ], uniqueKeys: [["application", "service_name"]]),
  ]

  static func tag(_ name: String, of owner: String, keyLimit: Int) -> CloudResource {
    CloudResource(
      name: name,
      fields: [
        .date("created_at").computed(), .reference(owner, to: owner, name).required(), .text("tag_key", limit: keyLimit).required(),
        .text("value", limit: 1000).required(),
      ], uniqueKeys: [[owner, "tag_key"]])
  }
}
