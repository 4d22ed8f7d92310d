package import AloftDomain
import Foundation

extension TrackingQueries {
    /// A series' tail is sealed into a block when it has this many points.
    private static let sealedCount = 512

    /// Logs points to a run that is not deleted.
    package static func log(_ db: Transaction, _ id: RunID, _ series: [MetricSeries]) throws {
        try log(db, activeRun(db, id), series)
    }

    /// Appends points and moves each metric's latest on. A repeat of a point is dropped, at once if
    /// it repeats the latest, else when the history is read.
    package static func log(
        _ db: Transaction, _ run: RunHandle, _ series: [MetricSeries]
    ) throws {
        for one in series where !one.points.isEmpty { try log(db, run, one) }
    }

    private static func log(_ db: Transaction, _ run: RunHandle, _ series: MetricSeries) throws {
        let context = try contextNumber(db, series.context)
        try logToModel(db, run, series, context: context)
        let old = try latestRow(db, run: run.number, key: series.key)
        var points = series.points
        if let old { points.removeAll { $0.isRepeat(of: old.point) } }
        guard var latest = points.first else { return }
        for point in points.dropFirst() where MetricPoint.isEarlier(latest, point) {
            latest = point
        }
        var latestContext = context
        if let old, MetricPoint.isEarlier(latest, old.point) {
            latest = old.point
            latestContext = old.context
        }
        let first = old?.pointCount ?? 0
        let tail = try append(
            db, run: run.number, key: series.key, first: first, tailCount: old?.tailCount ?? 0,
            MetricCodec.Segment(context: context, points: points))
        try db.perform(
            """
            INSERT INTO latestMetric VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (run, key) DO UPDATE SET value = excluded.value, step = excluded.step,
                timestamp = excluded.timestamp, context = excluded.context,
                pointCount = excluded.pointCount, tailCount = excluded.tailCount
            """,
            binding: [
                .int(run.number), .text(series.key), .int(run.experiment),
                .optional(stored(latest.value)), .int(latest.step), .int(latest.timestamp),
                .int(latestContext), .int(first + Int64(points.count)), .int(tail),
            ])
    }

    /// Adds a segment to the tail, or seals a block; returns how many points the tail has then.
    private static func append(
        _ db: Transaction, run: Int64, key: String, first: Int64, tailCount: Int64,
        _ segment: MetricCodec.Segment
    ) throws -> Int64 {
        let count = Int64(segment.points.count)
        guard tailCount + count >= sealedCount else {
            try db.perform(
                "INSERT INTO metricTail VALUES (?, ?, ?, ?)",
                binding: [
                    .int(run), .text(key), .int(first), .blob(MetricCodec.encode([segment])),
                ])
            return tailCount + count
        }
        var segments: [MetricCodec.Segment] = []
        var blockFirst = first
        if tailCount > 0 {
            segments = try readTail(db, run: run, key: key)
            blockFirst = first - tailCount
            try db.perform("DELETE FROM metricTail WHERE run = ? AND key = ?", [run, key])
        }
        segments.append(segment)
        try seal(db, run: run, key: key, first: blockFirst, merged(segments))
        return 0
    }

    /// Segments of one context become one, in order of reading, without repeats.
    private static func merged(_ segments: [MetricCodec.Segment]) -> [MetricCodec.Segment] {
        var byContext: [(context: Int64, points: [MetricPoint])] = []
        for segment in segments {
            if let index = byContext.firstIndex(where: { $0.context == segment.context }) {
                byContext[index].points += segment.points
            } else {
                byContext.append((segment.context, segment.points))
            }
        }
        return byContext.map {
            MetricCodec.Segment(context: $0.context, points: inReadingOrder($0.points))
        }
    }

    private static func seal(
        _ db: Transaction, run: Int64, key: String, first: Int64, _ segments: [MetricCodec.Segment]
    ) throws {
        let points =
            segments.count == 1 ? segments[0].points : segments.flatMap(\.points)
        let summary = MetricSummary.of(points)
        guard let earliest = summary.first, let latest = summary.last else { return }
        var times = (least: earliest.timestamp, greatest: earliest.timestamp)
        for point in points {
            times = (min(times.least, point.timestamp), max(times.greatest, point.timestamp))
        }
        let values = summary.lazy.map(\.value).filter { !$0.isNaN }
        try db.perform(
            "INSERT INTO metricBlock VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                run, key, first, points.count, earliest.step, latest.step, times.least,
                times.greatest, values.min(), values.max(), MetricCodec.encode(segments),
            ])
        let row = MetricSummaryRow(
            number: 0, first: first, minTimestamp: times.least, maxTimestamp: times.greatest,
            points: summary)
        try addSummary(db, run: run, key: key, row)
    }

    private struct LatestRow {
        var point: MetricPoint
        var context: Int64
        var pointCount: Int64
        var tailCount: Int64
    }

    private static func latestRow(_ db: Transaction, run: Int64, key: String) throws -> LatestRow? {
        try db.firstRow(
            """
            SELECT value, timestamp, step, context, pointCount, tailCount
            FROM latestMetric WHERE run = ? AND key = ?
            """, binding: [.int(run), .text(key)]
        ) { row in
            let value: Double? = try row["value"]
            let point = MetricPoint(
                value: value ?? .nan, timestamp: try row.int("timestamp"),
                step: try row.int("step"))
            return LatestRow(
                point: point, context: try row.int("context"),
                pointCount: try row.int("pointCount"), tailCount: try row.int("tailCount"))
        }
    }

    /// A point of a model's own is also kept with the model.
    private static func logToModel(
        _ db: Transaction, _ run: RunHandle, _ series: MetricSeries, context: Int64
    ) throws {
        guard let model = series.context.model else { return }
        let number: Int64? = try db.firstValue(
            "SELECT number FROM loggedModel WHERE id = ? AND lifecycleStage = 'active'",
            [model.rawValue])
        guard let number else {
            throw TrackingError.loggedModelNotFound(model.rawValue)
        }
        for point in series.points {
            try db.perform(
                """
                INSERT INTO loggedModelMetric (model, key, run, context, step, timestamp, value)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (model, key, run, context, step, timestamp)
                DO UPDATE SET value = excluded.value
                """,
                [
                    number, series.key, run.id.rawValue, context, point.step, point.timestamp,
                    stored(point.value),
                ])
        }
    }

    static func stored(_ value: Double) -> Double? { value.isNaN ? nil : value }

    static func contextNumber(_ db: Transaction, _ context: MetricContext) throws -> Int64 {
        guard context != .none else { return 0 }
        let arguments: Bindings = [
            context.model?.rawValue ?? "", context.datasetName ?? "", context.datasetDigest ?? "",
        ]
        try db.perform(
            """
            INSERT INTO metricContext (model, datasetName, datasetDigest) VALUES (?, ?, ?)
            ON CONFLICT (model, datasetName, datasetDigest) DO NOTHING
            """, arguments)
        return try db.firstValue(
            """
            SELECT number FROM metricContext
            WHERE model = ? AND datasetName = ? AND datasetDigest = ?
            """, arguments) ?? 0
    }
}
