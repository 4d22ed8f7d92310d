package import AloftDomain
import Foundation

extension TrackingQueries {
    /// The latest point of a metric: the greatest by step, then timestamp, then value.
    package static func latestMetric(
        _ db: Transaction, _ run: RunID, key: String
    ) throws -> MetricPoint? {
        try db.firstRow(
            """
            SELECT value, timestamp, step FROM latestMetric
            WHERE run = (SELECT number FROM run WHERE id = ?) AND key = ?
            """, [run.rawValue, key]
        ).map(point)
    }

    /// A point's columns; NULL stands for NaN.
    static func point(_ row: RowReader) throws -> MetricPoint {
        try MetricPoint(
            value: row["value"] ?? .nan, timestamp: row["timestamp"], step: row["step"])
    }

    /// All points of a metric, by timestamp, step and value, without repeats. Empty if there is no
    /// such run or metric.
    package static func history(
        _ db: Transaction, _ run: RunID, key: String
    ) throws -> [MetricPoint] {
        guard let number = try runNumber(db, run) else { return [] }
        let segments = try readSegments(db, run: number, key: key)
        return inReadingOrder(segments.flatMap(\.points))
    }

    /// The points of a metric with a greater step than `step` and a number for a value, as `history`
    /// orders them. Blocks without such a step are not read.
    ///
    /// - Parameter most: once so many are found nothing more is read, and there is said to be more.
    package static func points(
        _ db: Transaction, _ run: RunID, key: String, after step: Int64, most: Int
    ) throws -> (points: [MetricPoint], hasMore: Bool) {
        guard let number = try runNumber(db, run) else { return ([], false) }
        var found: [MetricPoint] = []
        func keep(_ segments: [MetricCodec.Segment]) {
            found += segments.flatMap(\.points).filter { $0.step > step && $0.value.isFinite }
        }
        let blocks: [Int64] = try db.allValues(
            """
            SELECT first FROM metricBlock
            WHERE run = ? AND key = ? AND maxStep > ? AND minValue IS NOT NULL ORDER BY first
            """, [number, key, step])
        for block in blocks {
            keep(try readBlock(db, run: number, key: key, first: block))
            if found.count >= most { return (inReadingOrder(found), true) }
        }
        keep(try readTail(db, run: number, key: key))
        return (inReadingOrder(found), false)
    }

    static func runNumber(_ db: Transaction, _ run: RunID) throws -> Int64? {
        try db.firstValue("SELECT number FROM run WHERE id = ?", [run.rawValue])
    }

    static func context(_ db: Transaction, _ number: Int64) throws -> MetricContext {
        guard number != 0,
            let row = try db.firstRow(
                "SELECT model, datasetName, datasetDigest FROM metricContext WHERE number = ?",
                [number])
        else { return .none }
        let model: String = try row["model"]
        let name: String = try row["datasetName"]
        let digest: String = try row["datasetDigest"]
        return MetricContext(
            model: model.isEmpty ? nil : LoggedModelID(model),
            datasetName: name.isEmpty ? nil : name, datasetDigest: digest.isEmpty ? nil : digest)
    }

    static func readTail(
        _ db: Transaction, run: Int64, key: String
    ) throws -> [MetricCodec.Segment] {
        try decode(
            db, "SELECT points FROM metricTail WHERE run = ? AND key = ? ORDER BY first", run, key)
    }

    /// The block that starts with the series' point number `first`; empty if there is none.
    static func readBlock(
        _ db: Transaction, run: Int64, key: String, first: Int64
    ) throws -> [MetricCodec.Segment] {
        var segments: [MetricCodec.Segment] = []
        try db.forEach(
            "SELECT points FROM metricBlock WHERE run = ? AND key = ? AND first = ?",
            [run, key, first]
        ) { row in segments = try row.withBytes("points") { try MetricCodec.decode($0) } }
        return segments
    }

    /// All points of a series as they were logged, repeats among them.
    static func allPoints(_ db: Transaction, run: Int64, key: String) throws -> [MetricPoint] {
        try readSegments(db, run: run, key: key).flatMap(\.points)
    }

    private static func readSegments(
        _ db: Transaction, run: Int64, key: String
    ) throws -> [MetricCodec.Segment] {
        try decode(
            db, "SELECT points FROM metricBlock WHERE run = ? AND key = ? ORDER BY first", run, key)
            + readTail(db, run: run, key: key)
    }

    private static func decode(
        _ db: Transaction, _ sql: String, _ run: Int64, _ key: String
    ) throws -> [MetricCodec.Segment] {
        var segments: [MetricCodec.Segment] = []
        try db.forEach(sql, [run, key]) { row in
            segments += try row.withBytes("points") { try MetricCodec.decode($0) }
        }
        return segments
    }

    /// Points as they are read: in order, each once. Quick if they are in order already.
    static func inReadingOrder(_ points: [MetricPoint]) -> [MetricPoint] {
        guard points.count > 1 else { return points }
        let isSorted = zip(points, points.dropFirst()).allSatisfy {
            MetricPoint.isReadBefore($0, $1)
        }
        guard !isSorted else { return points }
        var result: [MetricPoint] = []
        result.reserveCapacity(points.count)
        for point in points.sorted(by: MetricPoint.isReadBefore)
        where result.last.map({ !$0.isRepeat(of: point) }) ?? true {
            result.append(point)
        }
        return result
    }
}
