package import AloftDomain
import Foundation

/// A thinned series and what it cost to make.
package struct MetricCurve: Sendable, Equatable {
    /// By step, then timestamp, then value.
    package var points: [MetricPoint] = []
    package var summariesRead = 0
    package var blocksRead = 0
}

extension TrackingQueries {
    /// At most `limit` points of a metric that show its curve: the first and the last by step, and
    /// in between each stretch's lowest and greatest. Empty if there is no such run or metric.
    ///
    /// Costs what is shown, not what was logged: long series are read from their summaries. Only
    /// where steps were logged in no order does a part of the series, asked for by `steps`, cost
    /// more, because each block may hold points of it.
    package static func curve(
        _ db: Transaction, _ run: RunID, key: String, steps: ClosedRange<Int64>? = nil,
        atMost limit: Int
    ) throws -> MetricCurve {
        // Fewer summaries than this would show less than the reader asked for.
        let wanted = max(1, limit / MetricSummary.maxCount)
        return try curve(db, run, key: key, steps: steps, atMost: limit, wanted: wanted)
    }

    /// The curves of many runs side by side, for about `total` points together. A few hundred runs are
    /// read from their summaries alone, half as fine where that saves their blocks: nobody sees more
    /// of one among so many, and whoever looks closer asks for that part.
    package static func curves(
        _ db: Transaction, _ runs: [RunID], key: String, steps: ClosedRange<Int64>? = nil,
        total: Int, by axis: MetricAxis = .step
    ) throws -> [(run: RunID, curve: MetricCurve)] {
        let limit = min(max(total / max(runs.count, 1), 20), 1000)
        let wanted = max(1, limit / MetricSummary.maxCount / (runs.count > 20 ? 2 : 1))
        return try runs.map { run in
            (
                run,
                try curve(
                    db, run, key: key, steps: steps, atMost: limit, wanted: wanted, by: axis)
            )
        }
    }

    private static func curve(
        _ db: Transaction, _ run: RunID, key: String, steps: ClosedRange<Int64>?, atMost limit: Int,
        wanted: Int, by axis: MetricAxis = .step
    ) throws -> MetricCurve {
        guard let number = try runNumber(db, run) else { return MetricCurve() }
        var reader = CurveReader(
            db: db, run: number, key: key, steps: steps ?? .min ... .max, wanted: wanted)
        try reader.read()
        var curve = reader.curve
        curve.points = MetricThinning.thinned(
            inOrder(curve.points, by: axis), atMost: limit)
        return curve
    }
}

/// Goes down from the coarsest summaries until there are enough of them in the range of steps.
private struct CurveReader {
    let db: Transaction
    let run: Int64
    let key: String
    let steps: ClosedRange<Int64>
    /// How many summaries are enough.
    let wanted: Int
    var curve = MetricCurve()

    private typealias Queries = TrackingQueries
    private static var width: Int64 { MetricSummaryRow.width }

    init(db: Transaction, run: Int64, key: String, steps: ClosedRange<Int64>, wanted: Int) {
        self.db = db
        self.run = run
        self.key = key
        self.steps = steps
        self.wanted = wanted
    }

    mutating func read() throws {
        let tail = try Queries.readTail(db, run: run, key: key).flatMap(\.points).filter {
            steps.contains($0.step)
        }
        guard let top = try Queries.topSummaryLevel(db, run: run, key: key) else {
            return curve.points = tail
        }
        var level = top
        var found = try rows(level, 0...(.max))
        var end = found.last.map { $0.number + 1 } ?? 0
        var kept = found.filter { $0.overlaps(steps) }
        while level > 0, kept.count < wanted {
            let rest = end * Self.width
            level -= 1
            found = []
            if let first = kept.first?.number, let last = kept.last?.number {
                found = try rows(
                    level, first * Self.width...(last * Self.width + Self.width - 1))
            }
            let loose = try rows(level, rest...(.max))
            end = loose.last.map { $0.number + 1 } ?? rest
            kept = (found + loose).filter { $0.overlaps(steps) }
        }
        if kept.count < wanted {
            for row in kept { curve.points += try block(row) }
            curve.points += tail
        } else {
            for row in kept { curve.points += try summary(of: row, level) }
            try addLoose(below: level, end: end)
            curve.points += MetricSummary.of(tail)
        }
    }

    /// Summaries of lower levels that belong to none of `level`, whose last is before `end`.
    private mutating func addLoose(below level: Int, end: Int64) throws {
        var end = end
        for lower in (0..<level).reversed() {
            let rest = end * Self.width
            let loose = try rows(lower, rest...(.max))
            end = loose.last.map { $0.number + 1 } ?? rest
            for row in loose where row.overlaps(steps) {
                curve.points += try summary(of: row, lower)
            }
        }
    }

    /// The summary of those points of a row that are in range; reads more only at the range's ends.
    private mutating func summary(of row: MetricSummaryRow, _ level: Int) throws -> [MetricPoint] {
        if row.isInside(steps) { return row.points }
        guard level > 0 else { return MetricSummary.of(try block(row)) }
        let start = row.number * Self.width
        var points: [MetricPoint] = []
        for child in try rows(level - 1, start...(start + Self.width - 1))
        where child.overlaps(steps) {
            points += try summary(of: child, level - 1)
        }
        return MetricSummary.of(points)
    }

    private mutating func rows(
        _ level: Int, _ numbers: ClosedRange<Int64>
    ) throws -> [MetricSummaryRow] {
        let rows = try Queries.summaries(db, run: run, key: key, level: level, numbers: numbers)
        curve.summariesRead += rows.count
        return rows
    }

    private mutating func block(_ row: MetricSummaryRow) throws -> [MetricPoint] {
        curve.blocksRead += 1
        return try Queries.readBlock(db, run: run, key: key, first: row.first)
            .flatMap(\.points).filter { steps.contains($0.step) }
    }
}
