package import AloftDomain

/// A point with what it was measured on.
package struct HistoryPoint: Sendable, Equatable {
    package var point: MetricPoint
    package var context: MetricContext
}

/// A part of a history.
package struct HistoryPage: Sendable, Equatable {
    package var points: [HistoryPoint] = []
    /// There are points after the last of these.
    package var hasMore = false
}

extension TrackingQueries {
    /// At most `limit` points of a metric that come after `after`, by timestamp, step and value,
    /// each once. Empty if there is no such run or metric.
    ///
    /// Reads only the blocks whose times the page needs, so that reading a history to its end costs
    /// what it holds.
    package static func historyPage(
        _ db: Transaction, _ run: RunID, key: String, after: MetricPoint? = nil, limit: Int
    ) throws -> HistoryPage {
        guard let number = try runNumber(db, run) else { return HistoryPage() }
        var reader = HistoryReader(db: db, run: number, key: key, after: after, limit: limit)
        try reader.read()
        return try page(db, reader.found, limit: limit)
    }

    private static func page(
        _ db: Transaction, _ found: [HistoryReader.Found], limit: Int
    ) throws -> HistoryPage {
        var contexts: [Int64: MetricContext] = [0: .none]
        let points = try found.prefix(limit).map { one in
            let context = try contexts[one.context] ?? context(db, one.context)
            contexts[one.context] = context
            return HistoryPoint(point: one.point, context: context)
        }
        return HistoryPage(points: points, hasMore: found.count > limit)
    }
}

/// Merges blocks by time. Blocks nearly always follow one another, then each is decoded once and
/// nothing is sorted; but a series may be logged in any order.
private struct HistoryReader {
    struct Found {
        var point: MetricPoint
        /// The number of a row of `metricContext`.
        var context: Int64
    }

    let db: Transaction
    let run: Int64
    let key: String
    let after: MetricPoint?
    let limit: Int
    /// In order, each once; more than `limit` if there are more.
    private(set) var found: [Found] = []
    /// Read, but points of a block not yet read may come before these.
    private var pending: [Found] = []

    private typealias Queries = TrackingQueries

    init(db: Transaction, run: Int64, key: String, after: MetricPoint?, limit: Int) {
        self.db = db
        self.run = run
        self.key = key
        self.after = after
        self.limit = limit
    }

    private struct Source {
        var minTimestamp: Int64
        /// `nil` for the tail.
        var first: Int64?
    }

    mutating func read() throws {
        let tail = try Queries.readTail(db, run: run, key: key)
        var enough = limit
        for source in try sources(tail) {
            if pending.count > enough {
                settle(before: source.minTimestamp)
                guard found.count <= limit else { return }
                enough = 2 * pending.count + limit
            }
            if let first = source.first {
                add(try Queries.readBlock(db, run: run, key: key, first: first))
            } else {
                add(tail)
            }
        }
        settle(before: nil)
    }

    /// What may hold points after `after`, by the time of its earliest.
    private func sources(_ tail: [MetricCodec.Segment]) throws -> [Source] {
        let blocks = try Queries.summaries(
            db, run: run, key: key, level: 0, numbers: 0...(.max))
        var sources = blocks.filter { block in
            after.map { block.maxTimestamp >= $0.timestamp } ?? true
        }.map { Source(minTimestamp: $0.minTimestamp, first: $0.first) }
        if let start = tail.lazy.flatMap(\.points).map(\.timestamp).min() {
            sources.append(Source(minTimestamp: start, first: nil))
        }
        return sources.sorted { $0.minTimestamp < $1.minTimestamp }
    }

    private mutating func add(_ segments: [MetricCodec.Segment]) {
        for segment in segments {
            for point in segment.points
            where after.map({ MetricPoint.isReadBefore($0, point) }) ?? true {
                pending.append(Found(point: point, context: segment.context))
            }
        }
    }

    /// Moves what is earlier than all that is still to be read, or everything.
    private mutating func settle(before timestamp: Int64?) {
        let isSorted = zip(pending, pending.dropFirst()).allSatisfy {
            MetricPoint.isReadBefore($0.point, $1.point)
        }
        if !isSorted { pending.sort { MetricPoint.isReadBefore($0.point, $1.point) } }
        let settled =
            timestamp.map { time in pending.prefix { $0.point.timestamp < time } } ?? pending[...]
        found.reserveCapacity(found.count + settled.count)
        for one in settled
        where isSorted || found.last.map({ !$0.point.isRepeat(of: one.point) }) ?? true {
            found.append(one)
        }
        pending.removeFirst(settled.count)
    }
}
