import AloftDomain
import Foundation

/// A few points that stand for one block, or for four summaries of the level below.
struct MetricSummaryRow: Sendable {
    /// Of how many rows of the level below a row of the next level is made.
    static let width: Int64 = 4

    /// Counts from 0 within its level.
    var number: Int64
    /// The series' point that it starts with.
    var first: Int64
    var minTimestamp: Int64
    var maxTimestamp: Int64
    /// By step; never empty.
    var points: [MetricPoint]

    /// Whether it may have points with steps of `range`.
    func overlaps(_ range: ClosedRange<Int64>) -> Bool {
        guard let first = points.first, let last = points.last else { return false }
        return first.step <= range.upperBound && last.step >= range.lowerBound
    }

    func isInside(_ range: ClosedRange<Int64>) -> Bool {
        guard let first = points.first, let last = points.last else { return false }
        return first.step >= range.lowerBound && last.step <= range.upperBound
    }
}

// Summaries of sealed blocks, at several resolutions.
extension TrackingQueries {
    /// Adds a block's summary, and those of the levels above that are complete with it.
    static func addSummary(
        _ db: Transaction, run: Int64, key: String, _ summary: MetricSummaryRow
    ) throws {
        var row = summary
        row.number = try nextSummaryNumber(db, run: run, key: key)
        var level = 0
        try insertSummary(db, run: run, key: key, level: level, row)
        while row.number % MetricSummaryRow.width == MetricSummaryRow.width - 1 {
            let start = row.number - row.number % MetricSummaryRow.width
            let parts = try summaries(
                db, run: run, key: key, level: level, numbers: start...row.number)
            guard let first = parts.first else { return }
            row = MetricSummaryRow(
                number: row.number / MetricSummaryRow.width, first: first.first,
                minTimestamp: parts.map(\.minTimestamp).min() ?? first.minTimestamp,
                maxTimestamp: parts.map(\.maxTimestamp).max() ?? first.maxTimestamp,
                points: MetricSummary.of(parts.lazy.flatMap(\.points)))
            level += 1
            try insertSummary(db, run: run, key: key, level: level, row)
        }
    }

    /// Summaries of one level with these numbers, in order.
    static func summaries(
        _ db: Transaction, run: Int64, key: String, level: Int, numbers: ClosedRange<Int64>
    ) throws -> [MetricSummaryRow] {
        var result: [MetricSummaryRow] = []
        try db.forEach(
            """
            SELECT number, first, minTimestamp, maxTimestamp, points FROM metricSummary
            WHERE run = ? AND key = ? AND level = ? AND number BETWEEN ? AND ?
            ORDER BY number
            """, [run, key, level, numbers.lowerBound, numbers.upperBound]
        ) { row in
            let (number, first) = (try row.int("number"), try row.int("first"))
            let (earliest, latest) = (try row.int("minTimestamp"), try row.int("maxTimestamp"))
            let segments = try row.withBytes("points") { try MetricCodec.decode($0) }
            result.append(
                MetricSummaryRow(
                    number: number, first: first, minTimestamp: earliest, maxTimestamp: latest,
                    points: segments.flatMap(\.points)))
        }
        return result
    }

    /// The highest level of a series, or `nil` while it has no block.
    static func topSummaryLevel(_ db: Transaction, run: Int64, key: String) throws -> Int? {
        try db.firstValue(
            """
            SELECT level FROM metricSummary WHERE run = ? AND key = ? ORDER BY level DESC LIMIT 1
            """, [run, key])
    }

    private static func nextSummaryNumber(
        _ db: Transaction, run: Int64, key: String
    ) throws -> Int64 {
        let last: Int64? = try db.firstValue(
            """
            SELECT number FROM metricSummary WHERE run = ? AND key = ? AND level = 0
            ORDER BY number DESC LIMIT 1
            """, [run, key])
        return last.map { $0 + 1 } ?? 0
    }

    private static func insertSummary(
        _ db: Transaction, run: Int64, key: String, level: Int, _ row: MetricSummaryRow
    ) throws {
        try db.perform(
            "INSERT INTO metricSummary VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                run, key, level, row.number, row.first, row.minTimestamp, row.maxTimestamp,
                MetricCodec.encode([.init(context: 0, points: row.points)]),
            ])
    }
}
