extension CloudModel {
  static let buildStatuses = ["running", "success", "failed", "error", "cancelled", "interrupted"]
  static let projectTypes = [
    "Archive", "Dockerfile.template", "Docker Compose", "Standard Dockerfile", "Architecture-specific Dockerfile", "NodeJS", "local deploy",
    "external service", "unidentified",
  ]

  static let releaseResources: [CloudResource] = [
    CloudResource(
      name: "release",
      fields: [
        .date("created_at").computed(), .reference("belongs_to__application", to: "application", "owns__release", "release").required(),
        .reference("is_created_by__user", to: "user", "creates__release", whenDeleted: .clear), .text("commit", limit: 40).required(),
        .json("composition").required(), .text("status", choices: buildStatuses).required(),
        .text("source", choices: ["cloud", "local"]).required(), .text("build_log", limit: 1_000_000), .json("contract"),
        .date("start_timestamp").required(), .date("end_timestamp"), .date("update_timestamp").computed(),
        .boolean("is_passing_tests", initially: true), .boolean("is_invalidated"), .text("invalidation_reason"), .boolean("is_final"),
        .date("is_finalized_at__date").computed(), .text("semver"), .integer("semver_major").computed(), .integer("semver_minor").computed(),
        .integer("semver_patch").computed(), .text("semver_prerelease").computed(), .text("semver_build").computed(),
        .text("variant", limit: 50).initially(""), .integer("revision").computed(), .text("raw_version").computed(), .json("version").computed(),
        .text("phase", choices: ["next", "current", "sunset", "end-of-life"]), .text("note", limit: 1_000_000),
        .text("known_issue_list", limit: 1_000_000),
      ]),
    tag("release_tag", of: "release", keyLimit: 164),
    CloudResource(
      name: "release_asset",
      fields: [
        .date("created_at").computed(), .reference("release", to: "release", "release_asset").required(),
        .text("asset_key").required(), Field(name: "asset", kind: .asset),
      ], uniqueKeys: [["release", "asset_key"]]),
    CloudResource(
      name: "image",
      fields: [
        .date("created_at").computed(), .reference("is_a_build_of__service", to: "service", "is_built_by__image", "image").required(),
        .text("status", choices: buildStatuses).required(), .date("start_timestamp").required(), .date("end_timestamp"), .date("push_timestamp"),
        .text("is_stored_at__image_location").computed(), .text("content_hash", limit: 71), Field(name: "image_size", kind: .digits),
        .text("dockerfile", limit: 1_000_000), .text("project_type", choices: projectTypes), .text("error_message", limit: 300_000),
        .text("build_log", limit: 1_000_000), .json("contract"),
      ], uniqueKeys: [["is_stored_at__image_location"]]),
    CloudResource(
      name: "image__is_part_of__release", aliases: ["release_image"],
      fields: [
        .date("created_at").computed(), .reference("image", to: "image", "release_image", "is_part_of__release").required(),
        .reference("is_part_of__release", to: "release", "release_image", "contains__image").required(),
      ], uniqueKeys: [["image", "is_part_of__release"]], fieldAliases: ["release": "is_part_of__release"]),
    CloudResource(
      name: "image_label",
      fields: [
        .date("created_at").computed(), .reference("release_image", to: "image__is_part_of__release", "image_label").required(),
        .text("label_name").required(), .text("value", limit: 300).required(),
      ], uniqueKeys: [["release_image", "label_name"]]),
    CloudResource(
      name: "image_environment_variable",
      fields: [
        .date("created_at").computed(),
        .reference("release_image", to: "image__is_part_of__release", "image_environment_variable").required(),
        .text("name").required(), .text("value", limit: 100_000).required(),
      ], uniqueKeys: [["release_image", "name"]]),
  ]

  private typealias Field = CloudResource.Field
}
