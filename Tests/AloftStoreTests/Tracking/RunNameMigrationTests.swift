import AloftDomain
import AloftTestKit
import GRDB
import Testing

@testable import AloftStore

/// A file of before M0013, made by the migrations up to M0012.
struct RunNameMigrationTests {
    private static let count = 200

    private func makeFile(_ path: String) throws {
        let queue = try DatabaseQueue(path: path)
        var migrator = DatabaseMigrator()
        let earlier = Schema.migrations.prefix { $0.name != Schema.Migration.m0013RunNames.name }
        #expect(earlier.last?.name == Schema.Migration.m0012MetricSummaries.name)
        for migration in earlier {
            migrator.registerMigration(migration.name) { try migration.apply(Transaction($0)) }
        }
        try migrator.migrate(queue)
        try queue.write { database in
            let db = Transaction(database)
            for index in 0..<Self.count { try Self.insert(db, index) }
            #expect(try Self.indexSQL(db)?.contains("WHERE") == false)
        }
        try queue.close()
    }

    private static func insert(_ db: Transaction, _ index: Int) throws {
        let run = try TrackingQueries.createRun(
            db,
            NewRun(
                id: RunID("r\(index)"), experiment: ExperimentID("0"), name: "name-\(index)",
                startTime: Int64(index)))
        try TrackingQueries.setTag(db, run, NamedText(key: "kind", value: "k\(index % 4)"))
        try TrackingQueries.logParam(db, run, NamedText(key: "p", value: "\(index)"))
        try TrackingQueries.log(
            db, run,
            [
                MetricSeries(
                    key: "m",
                    points: [MetricPoint(value: Double(index), timestamp: 1, step: 0)])
            ])
    }

    private static func indexSQL(_ db: Transaction) throws -> String? {
        try db.value(
            of: String.self, sql: "SELECT sql FROM sqlite_master WHERE name = 'runTagValue'")
    }

    private func found(
        _ store: Store, _ condition: RunSearch.Condition
    ) async throws -> Set<String> {
        try await store.read { db in
            let search = RunSearch(
                experiments: [ExperimentID("0")], stage: .active, conditions: [condition],
                orders: [], limit: 1000, offset: 0)
            let numbers = try RunFinder(
                db: db, search: search, experiments: [0], limits: RunFinder.Limits()
            ).find()
            return Set(
                try numbers.compactMap {
                    try db.value(
                        of: String.self, sql: "SELECT id FROM run WHERE number = ?", arguments: [$0]
                    )
                })
        }
    }

    @Test func `an older file is brought up to date and everything is found in it`() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/aloft.db"
        try makeFile(path)
        let store = try Store(path: path)
        let (applied, index) = try await store.read { db in
            (try Schema.applied(db), try Self.indexSQL(db))
        }
        #expect(Set(applied) == Schema.names)
        #expect(index?.contains("WHERE key <> 'mlflow.runName'") == true)

        for number in [0, 7, Self.count - 1] {
            let name = TextMatch.equal("name-\(number)")
            #expect(try await found(store, .text(.name, name)) == ["r\(number)"])
            #expect(
                try await found(store, .tag(TrackingQueries.nameKey, name)) == ["r\(number)"])
        }
        let kind = try await found(store, .tag("kind", .equal("k1")))
        #expect(kind == Set(stride(from: 1, to: Self.count, by: 4).map { "r\($0)" }))
        #expect(try await found(store, .param("p", .equal("9"))) == ["r9"])
        let low = try await found(store, .metric("m", .init(.less, 3)))
        #expect(low == ["r0", "r1", "r2"])
        try store.close()
    }

    @Test func `names that change later are found by the new name alone`() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/aloft.db"
        try makeFile(path)
        let store = try Store(path: path)
        try await store.write { db in
            try TrackingQueries.setTag(
                db, RunID("r3"), NamedText(key: TrackingQueries.nameKey, value: "another"))
            try Self.insert(db, Self.count)
        }
        #expect(try await found(store, .text(.name, .equal("name-3"))) == [])
        for condition in [
            RunSearch.Condition.text(.name, .equal("another")),
            .tag(TrackingQueries.nameKey, .equal("another")),
        ] {
            #expect(try await found(store, condition) == ["r3"])
        }
        #expect(
            try await found(store, .text(.name, .equal("name-\(Self.count)"))) == [
                "r\(Self.count)"
            ])
        try store.close()
    }
}
