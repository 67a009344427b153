import GRDB

/// The database's forward-only migrations. A released migration is never edited; a change is a new one.
enum Schema {
  static var migrator: DatabaseMigrator {
    var migrator = DatabaseMigrator()
    migrator.registerMigration("1 requests, tasks, attempts, events, parts, hosts") { database in
      try database.create(table: "request") { table in
        table.primaryKey("id", .text)
        table.column("createdAt", .text).notNull()
        table.column("endedAt", .text)
        table.column("planDigest", .text).notNull().indexed()
        table.column("state", .text).notNull()
        table.column("cancelRequested", .boolean).notNull().defaults(to: false)
        table.column("output", .text).notNull()
      }
      try database.create(table: "task") { table in
        table.column("request", .text).notNull().references("request", onDelete: .cascade)
        table.column("slug", .text).notNull()
        table.column("machine", .text).notNull()
        table.column("arch", .text).notNull()
        table.column("state", .text).notNull()
        table.column("planned", .text).notNull()
        table.column("waiting", .text).notNull().defaults(to: "[]")
        table.column("record", .text)
        table.primaryKey(["request", "slug"])
      }
      try database.create(table: "attempt") { table in
        table.primaryKey("id", .text)
        table.column("request", .text).notNull().references("request", onDelete: .cascade)
        table.column("slug", .text).notNull()
        table.column("number", .integer).notNull()
        table.column("host", .text).notNull()
        table.column("spec", .text).notNull()
        table.column("state", .text).notNull()
        table.column("startedAt", .text).notNull()
        table.column("endedAt", .text)
        table.column("lastEvent", .integer).notNull().defaults(to: 0)
        table.column("logOffset", .integer).notNull().defaults(to: 0)
        table.column("outcome", .text)
      }
      try database.create(table: "event") { table in
        table.column("attempt", .text).notNull().references("attempt", onDelete: .cascade)
        table.column("sequence", .integer).notNull()
        table.column("time", .text).notNull()
        table.column("kind", .text).notNull()
        table.primaryKey(["attempt", "sequence"])
      }
      try database.create(table: "part") { table in
        table.primaryKey("key", .text)
        table.column("slug", .text).notNull()
        table.column("content", .text).notNull()
        table.column("createdAt", .text).notNull()
        table.column("seconds", .double).notNull()
      }
      try database.create(table: "host") { table in
        table.primaryKey("name", .text)
        table.column("health", .text).notNull()
        table.column("drained", .text)
      }
    }
    migrator.registerMigration("2 publications and pushed blobs") { database in
      try database.create(table: "publication") { table in
        table.column("api", .text).notNull()
        table.column("application", .text).notNull()
        table.column("version", .text).notNull()
        table.column("commit", .text).notNull()
        table.column("stage", .text).notNull()
        table.column("row", .integer).notNull()
        table.column("time", .text).notNull()
        table.primaryKey(["api", "application", "version", "commit", "stage"])
      }
      try database.create(table: "pushedBlob") { table in
        table.column("registry", .text).notNull()
        table.column("digest", .text).notNull()
        table.column("repository", .text).notNull()
        table.primaryKey(["registry", "digest"])
      }
    }
    migrator.registerMigration("3 acknowledged attempts") { database in
      try database.alter(table: "attempt") { table in
        // When all that is wanted of its outcome was stored here, and when its host heard of it.
        table.add(column: "collectedAt", .text)
        table.add(column: "acknowledgedAt", .text)
      }
      try database.execute(sql: "CREATE INDEX attemptUnacknowledged ON attempt (host) WHERE acknowledgedAt IS NULL")
      try database.create(index: "attemptBySlug", on: "attempt", columns: ["slug", "startedAt"])
    }
    migrator.registerMigration("4 what a plan could not read") { database in
      try database.alter(table: "request") { $0.add(column: "problems", .text).notNull().defaults(to: "[]") }
    }
    migrator.registerMigration("5 device types in hand") { database in
      try database.create(table: "inHand") { table in
        table.column("request", .text).notNull().references("request", onDelete: .cascade)
        table.column("slug", .text).notNull()
        // Whether the coordinator works on it now. After a crash this says what it was working on.
        table.column("isHeld", .boolean).notNull()
        // Crashes in a row while it was held.
        table.column("crashes", .integer).notNull().defaults(to: 0)
        table.primaryKey(["request", "slug"])
      }
    }
    migrator.registerMigration("6 the newest entry of the audit log") { database in
      try database.create(table: "auditHead") { table in
        table.primaryKey("id", .integer)
        table.column("number", .integer).notNull()
        table.column("digest", .text).notNull()
      }
    }
    return migrator
  }
}
