import AloftDomain
import AloftTestKit
import Foundation
import Testing

@testable import AloftStore

struct MetricSummaryMigrationTests {
    private func summaries(_ store: Store) async throws -> [[String]] {
        try await store.read { db in
            try db.rows(
                sql: "SELECT *, hex(points) FROM metricSummary ORDER BY run, key, level, number"
            ).map { row in
                [0, 1, 2, 3, 4, 5, 6, 8].map { "\(row.values[$0])" }
            }
        }
    }

    @Test func `blocks of an older file get the summaries that new blocks get`() async throws {
        let temporary = try TemporaryStore()
        let id = RunID("r1")
        try await temporary.store.write { db in
            _ = try TrackingQueries.createRun(
                db, NewRun(id: id, experiment: ExperimentID("0"), name: "one", startTime: 1))
            for (key, count) in [("a", 100), ("b", 15_300), ("c", 700)] {
                for start in stride(from: 0, to: count, by: 600) {
                    let points = (start..<min(start + 600, count)).map {
                        MetricPoint(
                            value: Double($0 * 7919 % 10_007), timestamp: Int64($0), step: Int64($0)
                        )
                    }
                    try TrackingQueries.log(db, id, [MetricSeries(key: key, points: points)])
                }
            }
        }
        let expected = try await summaries(temporary.store)
        #expect(expected.contains { $0[1].contains("b") && $0[2] == "int(2)" })
        try await temporary.store.maintain { db in
            try db.execute(
                sql: """
                    DROP TABLE metricSummary;
                    DELETE FROM grdb_migrations WHERE identifier = '0012-metric-summaries'
                    """)
        }
        try temporary.store.close()
        let again = try Store(path: temporary.folder.path + "/aloft.db")
        #expect(try await summaries(again) == expected)
        let page = try await again.read {
            try TrackingQueries.historyPage($0, id, key: "b", limit: 20_000)
        }
        #expect(page.points.map(\.point.step) == Array(0..<15_300))
        try again.close()
    }
}
