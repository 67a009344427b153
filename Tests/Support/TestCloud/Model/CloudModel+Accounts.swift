extension CloudModel {
  static let accountResources: [CloudResource] = [
    CloudResource(name: "actor", fields: [.date("created_at").computed()], isReadOnly: true),
    CloudResource(
      name: "user",
      fields: [
        .date("created_at").computed(), .text("username").required(), .reference("actor", to: "actor", "is_of__user"),
      ], uniqueKeys: [["username"]], isReadOnly: true),
    CloudResource(
      name: "organization",
      fields: [.date("created_at").computed(), .text("name").required(), .text("handle").required()], uniqueKeys: [["handle"]],
      isReadOnly: true),
    CloudResource(
      name: "organization_membership",
      fields: [
        .date("created_at").computed(),
        .reference("user", to: "user", "organization_membership", "is_member_of__organization").required(),
        .reference("is_member_of__organization", to: "organization", "organization_membership", "includes__user").required(),
      ], uniqueKeys: [["user", "is_member_of__organization"]], isReadOnly: true),
    CloudResource(
      name: "team",
      fields: [
        .date("created_at").computed(), .text("name").required(),
        .reference("belongs_to__organization", to: "organization", "team", "owns__team").required(),
      ], uniqueKeys: [["name", "belongs_to__organization"]], isReadOnly: true),
    CloudResource(
      name: "application_membership_role", fields: [.text("name").required()], uniqueKeys: [["name"]], isReadOnly: true),
    CloudResource(
      name: "team_application_access",
      fields: [
        .reference("team", to: "team", "team_application_access").required().adminOnly(),
        .reference("grants_access_to__application", to: "application", "team_application_access").required().adminOnly(),
        .reference("application_membership_role", to: "application_membership_role", "team_application_access").required().adminOnly(),
      ], uniqueKeys: [["team", "grants_access_to__application"]]),
    CloudResource(name: "cpu_architecture", fields: [.text("slug").required()], uniqueKeys: [["slug"]], isReadOnly: true),
    CloudResource(
      name: "device_type",
      fields: [
        .text("slug").required(), .text("name").required(), .boolean("is_private"),
        .reference("is_of__cpu_architecture", to: "cpu_architecture", "is_supported_by__device_type").required(), .json("contract"),
      ], uniqueKeys: [["slug"]], isReadOnly: true),
    CloudResource(
      name: "device_type_alias",
      fields: [
        .text("is_referenced_by__alias").required(),
        .reference("references__device_type", to: "device_type", "device_type_alias").required(),
      ], uniqueKeys: [["is_referenced_by__alias"]], isReadOnly: true),
    CloudResource(
      name: "application_type",
      fields: [
        .text("name").required(), .text("slug").required(), .boolean("supports_multicontainer"), .boolean("is_legacy"),
      ], uniqueKeys: [["slug"]], isReadOnly: true),
  ]
}
