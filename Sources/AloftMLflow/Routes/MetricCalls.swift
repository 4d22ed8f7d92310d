import AloftDomain
import AloftStore
import Hummingbird

/// Metric histories.
struct MetricCalls: Sendable {
    let service: MLflowService

    /// One series, or several, of one metric.
    private static let maxRuns = 100
    private static let maxPoints: Int64 = 25_000
    private static let maxSteps: Int64 = 2500

    func add<Context>(to calls: CallRouter<Context>) {
        calls.get("metrics/get-history", history)
        calls.get("/ajax-api/2.0/mlflow/metrics/get-history-bulk", bulk)
        calls.get("metrics/get-history-bulk-interval", interval)
    }

    private func history(_ call: Call) async throws -> [UInt8] {
        let id = try FieldReader.runID(call.fields)
        let key = try call.fields.string("metric_key")
        let limit =
            try call.fields.has("max_results")
            ? call.fields.maxResults(default: nil, limit: .max) : Int.max
        let offset = try PageToken.offset(call.fields)
        let points = try await service.store.read { db in
            try TrackingQueries.historyWithContext(db, id, key: key)
        }
        let page = points.dropFirst(offset).prefix(min(limit, Int(Self.maxPoints) * 40))
        return JSONWriter.document { writer in
            writer.list("metrics", page) { writer, one in
                writer.metric(key, one.point, one.context)
            }
            if offset + page.count < points.count {
                writer.member("next_page_token", PageToken.make(offset: offset + page.count))
            }
        }
    }

    private func bulk(_ call: Call) async throws -> [UInt8] {
        let runs = try Self.runs(call.fields, "run_id")
        let key = try call.fields.string("metric_key")
        let limit = try call.fields.maxResults(default: Self.maxPoints, limit: 1_000_000)
        let series = try await service.store.read { db in
            var left = min(limit, Int(Self.maxPoints))
            return try runs.sorted().map { run in
                let points = try TrackingQueries.history(db, run, key: key).prefix(left)
                left -= points.count
                return (run: run, points: Array(points))
            }
        }
        return Self.document(key, series)
    }

    private func interval(_ call: Call) async throws -> [UInt8] {
        let runs = try Self.runs(call.fields, "run_ids")
        let key = try call.fields.string("metric_key")
        let first = try call.fields.optionalInt("start_step")
        let last = try call.fields.optionalInt("end_step")
        guard (first == nil) == (last == nil), first ?? 0 <= last ?? 0 || first == nil else {
            throw ProtocolError.invalid(
                "Give both start_step and end_step, the first not after the last, or neither.")
        }
        let limit = try call.fields.maxResults(default: Self.maxSteps, limit: Self.maxSteps)
        let range = first.flatMap { first in last.map { first...$0 } }
        let series = try await service.store.read { db in
            try runs.sorted().map { run in
                let points = try TrackingQueries.history(db, run, key: key)
                return (run: run, points: MetricThinning.bySteps(points, in: range, atMost: limit))
            }
        }
        return Self.document(key, series)
    }

    private static func runs(_ fields: Fields, _ name: String) throws -> [RunID] {
        let ids = try fields.strings(name)
        guard (1...maxRuns).contains(ids.count) else {
            throw ProtocolError.invalid("Give 1 to \(maxRuns) values of '\(name)'.")
        }
        return ids.map { RunID($0) }
    }

    private static func document(
        _ key: String, _ series: [(run: RunID, points: [MetricPoint])]
    ) -> [UInt8] {
        let all = series.flatMap { one in one.points.map { (run: one.run, point: $0) } }
        return JSONWriter.document { writer in
            writer.list("metrics", all) { writer, one in
                writer.metric(key, one.point, run: one.run)
            }
        }
    }
}

/// Fewer points that still show the same curve.
enum MetricThinning {
    /// Points of about `limit` steps of a range, by step and time: the first and the last step, and
    /// of each equal stretch of steps between them those with the smallest and the greatest value.
    static func bySteps(
        _ points: [MetricPoint], in range: ClosedRange<Int64>?, atMost limit: Int
    ) -> [MetricPoint] {
        var points = points
        if let range { points.removeAll { !range.contains($0.step) } }
        points.sort(by: MetricPoint.isEarlier)
        guard points.count > limit, limit > 2, let first = points.first, let last = points.last
        else {
            return limit < points.count ? Array(points.prefix(limit)) : points
        }
        let buckets = max(1, (limit - 2) / 2)
        let inner = points.dropFirst().dropLast()
        var result = [first]
        for bucket in 0..<buckets {
            let start = inner.startIndex + inner.count * bucket / buckets
            let end = inner.startIndex + inner.count * (bucket + 1) / buckets
            guard start < end else { continue }
            let part = inner[start..<end]
            let smallest = part.indices.min { points[$0].value < points[$1].value }
            let greatest = part.indices.max { points[$0].value < points[$1].value }
            for index in Set([smallest, greatest].compactMap { $0 }).sorted() {
                result.append(points[index])
            }
        }
        return result + [last]
    }
}
