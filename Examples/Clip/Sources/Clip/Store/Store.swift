import GRDB

/// What Clip keeps, in one SQLite database.
struct Store: Sendable {
    let database: DatabaseQueue

    /// Brings the database's tables up to date.
    init(_ database: DatabaseQueue) throws {
        self.database = database
        try Self.migrator.migrate(database)
    }

    /// A database in a file, which is made where it is not there. Another worker's write is waited for.
    static func open(_ path: String) throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.busyMode = .timeout(2)
        return try DatabaseQueue(path: path, configuration: configuration)
    }

    private static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1: users, links, pastes") { db in
            try db.create(table: "user") { table in
                table.primaryKey("name", .text)
                table.column("password", .text).notNull()
            }
            try db.create(table: "link") { table in
                table.autoIncrementedPrimaryKey("id")
                table.column("slug", .text).notNull().unique()
                table.column("target", .text).notNull()
                table.column("owner", .text).notNull().references("user", onDelete: .cascade)
                table.column("hits", .integer).notNull().defaults(to: 0)
                table.column("createdAt", .datetime).notNull()
            }
            try db.create(table: "paste") { table in
                table.primaryKey("id", .text)
                table.column("title", .text).notNull()
                table.column("text", .text).notNull()
                table.column("owner", .text).notNull().references("user", onDelete: .cascade)
                table.column("createdAt", .datetime).notNull()
            }
        }
        migrator.registerMigration("2: uploads") { db in
            try db.create(table: "upload") { table in
                table.primaryKey("id", .text)
                table.column("name", .text).notNull()
                table.column("kind", .text).notNull()
                table.column("content", .blob).notNull()
                table.column("owner", .text).notNull().references("user", onDelete: .cascade)
            }
        }
        migrator.registerMigration("3: tokens of the API") { db in
            try db.create(table: "token") { table in
                table.primaryKey("digest", .blob)
                table.column("owner", .text).notNull().references("user", onDelete: .cascade)
            }
        }
        return migrator
    }
}
