import GRDB

extension Schema {
    /// Applies what a database lacks, each migration in a transaction of its own.
    static func migrator() -> DatabaseMigrator {
        var migrator = DatabaseMigrator()
        for migration in migrations {
            migrator.registerMigration(migration.name) { try migration.apply(Transaction($0)) }
        }
        return migrator
    }

    static func applied(_ db: Transaction) throws -> [String] {
        try db.values(sql: "SELECT identifier FROM grdb_migrations ORDER BY identifier")
    }
}
