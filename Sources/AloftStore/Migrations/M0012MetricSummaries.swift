import AloftDomain
import Foundation

extension Schema.Migration {
    /// What charts read instead of points, and an index from which runs are found by status and
    /// times without reading them.
    ///
    /// A row of level 0 stands for one `metricBlock`, a row of a higher level for four rows of the
    /// level below: number n for the numbers 4n to 4n + 3. `points` holds the earliest, the lowest,
    /// the greatest and the latest point of all of them. `first` counts from the series' first point.
    static let m0012MetricSummaries = Schema.Migration(name: "0012-metric-summaries") { db in
        try db.execute(
            sql: """
                CREATE TABLE metricSummary (
                    run INTEGER NOT NULL REFERENCES run (number) ON DELETE CASCADE,
                    key TEXT NOT NULL,
                    level INTEGER NOT NULL CHECK (level BETWEEN 0 AND 40),
                    number INTEGER NOT NULL CHECK (number >= 0),
                    first INTEGER NOT NULL,
                    minTimestamp INTEGER NOT NULL,
                    maxTimestamp INTEGER NOT NULL,
                    points BLOB NOT NULL,
                    PRIMARY KEY (run, key, level, number)
                ) \(Dialect.keptByKey);
                DROP INDEX runByStart;
                CREATE INDEX runByStart ON run
                    (experiment, lifecycleStage, startTime DESC, id, status, endTime);
                """)
        try summarizeBlocks(db)
    }

    private struct Series: Hashable {
        var run: Int64
        var key: String
    }

    private struct Row0 {
        var first: Int64
        var minTimestamp: Int64
        var maxTimestamp: Int64
        var points: [MetricPoint]
    }

    /// Summaries of the blocks that were sealed before there were any.
    private static func summarizeBlocks(_ db: Transaction) throws {
        var series: Series?
        var level: [Row0] = []
        try db.forEach(
            """
            SELECT run, key, first, minTimestamp, maxTimestamp, points
            FROM metricBlock ORDER BY run, key, first
            """
        ) { row in
            let next = Series(run: try row["run"], key: try row["key"])
            if let series, series != next {
                try insert(db, series, level)
                level = []
            }
            series = next
            let first = try row.int("first")
            let (earliest, latest) = (try row.int("minTimestamp"), try row.int("maxTimestamp"))
            let segments = try row.withBytes("points") { try MetricCodec.decode($0) }
            level.append(
                Row0(
                    first: first, minTimestamp: earliest, maxTimestamp: latest,
                    points: MetricSummary.of(segments.lazy.flatMap(\.points))))
        }
        if let series { try insert(db, series, level) }
    }

    /// One series' level 0 and all levels above.
    private static func insert(_ db: Transaction, _ series: Series, _ blocks: [Row0]) throws {
        var rows = blocks
        var level = 0
        while !rows.isEmpty {
            for (number, row) in rows.enumerated() {
                try db.execute(
                    sql: "INSERT INTO metricSummary VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    arguments: [
                        series.run, series.key, level, number, row.first, row.minTimestamp,
                        row.maxTimestamp,
                        MetricCodec.encode([.init(context: 0, points: row.points)]),
                    ])
            }
            rows = stride(from: 0, to: rows.count - rows.count % 4, by: 4).map { start in
                let part = rows[start..<start + 4]
                return Row0(
                    first: rows[start].first, minTimestamp: part.map(\.minTimestamp).min() ?? 0,
                    maxTimestamp: part.map(\.maxTimestamp).max() ?? 0,
                    points: MetricSummary.of(part.lazy.flatMap(\.points)))
            }
            level += 1
        }
    }
}
