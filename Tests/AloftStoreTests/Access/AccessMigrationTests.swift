import AloftDomain
import AloftTestKit
import Foundation
import GRDB
import Testing

@testable import AloftStore

/// A file of before M0014 with models that scripts registered from runs of several projects.
struct AccessMigrationTests {
    private func makeFile(_ path: String) throws {
        let queue = try DatabaseQueue(path: path)
        var migrator = DatabaseMigrator()
        let earlier = Schema.migrations.prefix { $0.name != Schema.Migration.m0014Access.name }
        for migration in earlier {
            migrator.registerMigration(migration.name) { try migration.apply(Transaction($0)) }
        }
        try migrator.migrate(queue)
        let at = Date(timeIntervalSince1970: 1)
        try queue.write { database in
            let db = Transaction(database)
            for (project, run) in [("demo", "a"), ("other", "b")] {
                try ProjectQueries.ensure(db, ProjectID(project), at: at)
                let experiment = try TrackingQueries.createExperiment(
                    db, name: "\(project)/train", project: ProjectID(project), at: at)
                try TrackingQueries.createRun(
                    db,
                    NewRun(id: RunID(run), experiment: experiment, name: "r", startTime: 0))
            }
            try register(db, "ofDemo", from: ["a", "a"])
            try register(db, "ofBoth", from: ["a", "b"])
            try register(db, "byHand", from: [""])
            try register(db, "partly", from: ["a", "gone"])
            try register(db, "empty", from: [])
        }
        try queue.close()
    }

    private func register(_ db: Transaction, _ name: String, from runs: [String]) throws {
        try db.execute(
            sql: """
                INSERT INTO registeredModel (project, name, createdAt, updatedAt)
                VALUES ('default', ?, 0, 0)
                """, arguments: [name])
        let model = db.database.lastInsertedRowID
        for (index, run) in runs.enumerated() {
            try db.execute(
                sql: """
                    INSERT INTO modelVersion (model, version, description, source, runId, runLink,
                        userId, createdAt, updatedAt)
                    VALUES (?, ?, '', 's3://a/b', ?, '', '', 0, 0)
                    """, arguments: [model, index + 1, run])
        }
    }

    @Test func `a model whose versions came from one project is that project's`() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/aloft.db"
        try makeFile(path)
        let store = try Store(path: path)
        let projects = try await store.read { db in
            Dictionary(
                uniqueKeysWithValues: try db.rows(
                    sql: "SELECT name, project FROM registeredModel"
                ).map { row -> (String, String) in (try row["name"], try row["project"]) })
        }
        #expect(
            projects == [
                "ofDemo": "demo", "ofBoth": "default", "byHand": "default", "partly": "default",
                "empty": "default",
            ])
        #expect(try await store.read { try TokenQueries.ends($0) } == 0)
        try store.close()
    }
}
