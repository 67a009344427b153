/// An account of a test cloud with all its credentials.
package struct TestAccount: Hashable, Sendable {
  package let id: Int
  package let username: String
  package let email: String
  package let password: String
  package let apiKey: String
}

extension CloudState {
  package struct SeededAccounts: Sendable {
    /// Administrator, in the first organization.
    package let admin: TestAccount
    /// Member of the first organization, without special rights.
    package let developer: TestAccount
    /// Member of the second organization.
    package let outsider: TestAccount
  }

  /// A cloud with its fixed tables, and three accounts with new secrets.
  static func seeded(_ configuration: TestCloudConfiguration, now: CloudDate) throws(CloudRefusal) -> (CloudState, SeededAccounts) {
    var state = CloudState(configuration: configuration)
    state.accounts.allowedLogins = configuration.allowedLogins
    let created: [String: JSONValue] = ["created_at": .string(now.text)]
    for slug in ["default", "microservices-starter", "microservices", "essentials", "classic", "legacy-v1"] {
      let isMulti = !["classic", "legacy-v1"].contains(slug)
      try state.database.insert(
        "application_type",
        [
          "name": .string(slug.capitalized), "slug": .string(slug), "supports_multicontainer": .bool(isMulti),
          "is_legacy": .bool(slug == "legacy-v1"),
        ])
    }
    for name in ["developer", "operator", "observer"] { try state.database.insert("application_membership_role", ["name": .string(name)]) }
    for type in configuration.deviceTypes { try state.add(type) }
    var organizations: [Int] = []
    for handle in configuration.organizations {
      organizations.append(
        try state.database.insert("organization", created.merging(["name": .string(handle), "handle": .string(handle)]) { $1 }).id)
    }
    for team in configuration.teams {
      try state.database.insert(
        "team", created.merging(["name": .string(team), "belongs_to__organization": .integer(organizations.first ?? 0)]) { $1 })
    }
    let first = organizations.first.map { [$0] } ?? []
    let accounts = SeededAccounts(
      admin: try state.addAccount("admin", isAdmin: true, in: Set(first), now: now),
      developer: try state.addAccount("developer", isAdmin: false, in: Set(first), now: now),
      outsider: try state.addAccount("outsider", isAdmin: false, in: Set(organizations.dropFirst().prefix(1)), now: now))
    return (state, accounts)
  }

  package mutating func add(_ type: TestCloudConfiguration.DeviceType) throws(CloudRefusal) {
    let architecture: CloudRow
    if let known = database.first("cpu_architecture", where: "slug", is: .string(type.architecture)) {
      architecture = known
    } else {
      architecture = try database.insert("cpu_architecture", ["slug": .string(type.architecture)])
    }
    let row = try database.insert(
      "device_type",
      [
        "slug": .string(type.slug), "name": .string(type.slug), "is_private": .bool(type.isPrivate),
        "is_of__cpu_architecture": .integer(architecture.id),
      ])
    for alias in [type.slug] + type.aliases {
      try database.insert("device_type_alias", ["is_referenced_by__alias": .string(alias), "references__device_type": .integer(row.id)])
    }
  }

  package mutating func addAccount(
    _ name: String, isAdmin: Bool, in organizations: Set<Int>, secondFactor: String? = nil, now: CloudDate
  ) throws(CloudRefusal) -> TestAccount {
    let created: [String: JSONValue] = ["created_at": .string(now.text)]
    let actor = try database.insert("actor", created)
    let row = try database.insert("user", created.merging(["username": .string(name), "actor": .integer(actor.id)]) { $1 })
    for organization in organizations.sorted() {
      try database.insert(
        "organization_membership",
        created.merging(["user": .integer(row.id), "is_member_of__organization": .integer(organization)]) { $1 })
    }
    let account = TestAccount(
      id: row.id, username: name, email: "\(name)@example.com", password: Randomness.key(), apiKey: accounts.makeKey(for: row.id))
    accounts.add(
      CloudUser(
        id: row.id, actor: actor.id, username: name, email: account.email, password: account.password, isAdmin: isAdmin,
        organizations: organizations, secondFactor: secondFactor, tokenSecret: Randomness.hex(bytes: 16)))
    return account
  }
}
