import AloftDomain
import AloftStore
import Hummingbird
import NIOCore

/// Metric histories.
struct MetricCalls: Sendable {
    let service: MLflowService

    /// One series, or several, of one metric.
    private static let maxRuns = 100
    private static let maxPoints: Int64 = 25_000
    private static let maxSteps: Int64 = 2500
    /// Points read at once.
    private static let pageSize = 25_000
    /// Clients ask for 25,000 points a page; whoever asks for more gets this many and a token.
    private static let longestPage = 100_000

    func add<Context>(to calls: CallRouter<Context>) {
        calls.raw(.get, "metrics/get-history", .read, of: Self.run) { request, _ in
            try await history(request)
        }
        calls.get("/ajax-api/2.0/mlflow/metrics/get-history-bulk", .read, of: Subjects.runs, bulk)
        calls.get("metrics/get-history-bulk-interval", .read, of: Subjects.runs, interval)
    }

    private static func run<Context>(
        _ queries: AccessQueries, _ request: Request, _ context: Context
    ) throws -> [Claim] {
        [Claim(try queries.run(try FieldReader.anyRunID(QueryText.fields(request))))]
    }

    /// A page, or without `max_results` everything; that is written while it is read, so that a
    /// long series is never in memory.
    private func history(_ request: Request) async throws -> Response {
        let fields = QueryText.fields(request)
        let id = try FieldReader.anyRunID(fields)
        let key = try fields.string("metric_key")
        let after = try HistoryToken.position(fields)
        guard fields.has("max_results") else {
            let first = try await page(id, key, after: after, limit: Self.pageSize)
            return whole(id, key, first)
        }
        let limit = try fields.maxResults(default: nil, limit: .max)
        let page = try await page(id, key, after: after, limit: min(limit, Self.longestPage))
        return MLflowBody.json(
            JSONWriter.document { writer in
                writer.list("metrics", page.points) { writer, one in
                    writer.metric(key, one.point, one.context)
                }
                if page.hasMore, let last = page.points.last {
                    writer.member("next_page_token", HistoryToken.make(after: last.point))
                }
            })
    }

    private func page(
        _ id: RunID, _ key: String, after: MetricPoint?, limit: Int
    ) async throws -> HistoryPage {
        try await service.store.read { db in
            try TrackingQueries.historyPage(db, id, key: key, after: after, limit: limit)
        }
    }

    private func whole(_ id: RunID, _ key: String, _ first: HistoryPage) -> Response {
        guard first.hasMore else {
            return MLflowBody.json(
                JSONWriter.document { writer in
                    writer.list("metrics", first.points) { writer, one in
                        writer.metric(key, one.point, one.context)
                    }
                })
        }
        let body = ResponseBody { writer in
            var page = first
            var opening = "{\"metrics\":["
            while true {
                var part = ByteBuffer(string: opening)
                part.writeBytes(
                    JSONWriter.elements(page.points) { writer, one in
                        writer.metric(key, one.point, one.context)
                    })
                try await writer.write(part)
                guard page.hasMore, let last = page.points.last?.point else { break }
                page = try await self.page(id, key, after: last, limit: Self.pageSize)
                opening = page.points.isEmpty ? "" : ","
            }
            try await writer.write(ByteBuffer(string: "]}"))
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: MLflowBody.headers, body: body)
    }

    private func bulk(_ call: Call) async throws -> [UInt8] {
        let runs = try Self.bulkRuns(call.fields)
        guard let key = try FieldReader.text(call.fields, "metric_key") else {
            throw ProtocolError.invalid("GetMetricHistoryBulk request must specify a metric_key.")
        }
        // Less than nothing is no limit, as the protocol has it.
        let wanted = try call.fields.optionalInt("max_results") ?? Self.maxPoints
        let limit = Int(clamping: wanted < 0 ? Self.maxPoints : min(wanted, Self.maxPoints))
        let series = try await service.store.read { db in
            var left = limit
            return try runs.sorted().map { run -> (run: RunID, points: [MetricPoint]) in
                guard left > 0 else { return (run, []) }
                let page = try TrackingQueries.historyPage(db, run, key: key, limit: left)
                left -= page.points.count
                return (run, page.points.map(\.point))
            }
        }
        return JSONWriter.document { writer in
            writer.wholeList("metrics", Self.all(series)) { writer, one in
                writer.metric(key, one.point, run: one.run)
            }
        }
    }

    private func interval(_ call: Call) async throws -> [UInt8] {
        let runs = try Self.intervalRuns(call.fields)
        let key = try call.fields.string("metric_key")
        let count = try call.fields.optionalInt("max_results") ?? Self.maxSteps
        // traps: a constant
        guard (1...Self.maxSteps).contains(count) else {
            throw ProtocolError.invalid("max_results must be between 1 and \(Self.maxSteps).")
        }
        let range = try Self.steps(call.fields)
        let limit = Int(clamping: count)
        let series = try await service.store.read { db in
            try runs.sorted().map { run in
                let curve = try TrackingQueries.curve(
                    db, run, key: key, steps: range, atMost: limit)
                return (run: run, points: curve.points)
            }
        }
        return JSONWriter.document { writer in
            writer.list("metrics", Self.all(series)) { writer, one in
                writer.metric(key, one.point, run: one.run)
            }
        }
    }

    /// The part of a series that is asked for; `nil` for all of it.
    static func steps(_ fields: Fields) throws -> ClosedRange<Int64>? {
        let first = try fields.optionalInt("start_step")
        let last = try fields.optionalInt("end_step")
        guard (first == nil) == (last == nil) else {
            throw ProtocolError.invalid(
                "If either start step or end step are specified, both must be specified.")
        }
        if let first, let last, first > last {
            throw ProtocolError.invalid(
                "end_step must be greater than start_step. Found start_step=\(first) and "
                    + "end_step=\(last).")
        }
        // traps: they are in order, by what is refused above
        return first.flatMap { first in last.map { first...$0 } }
    }

    private static func bulkRuns(_ fields: Fields) throws -> [RunID] {
        let ids = try fields.strings("run_id")
        guard !ids.isEmpty else {
            throw ProtocolError.invalid(
                "GetMetricHistoryBulk request must specify at least one run_id.")
        }
        guard ids.count <= maxRuns else {
            throw ProtocolError.invalid(
                "GetMetricHistoryBulk request cannot specify more than \(maxRuns) run_ids. "
                    + "Received \(ids.count) run_ids.")
        }
        return ids.map { RunID($0) }
    }

    private static func intervalRuns(_ fields: Fields) throws -> [RunID] {
        let ids = try fields.strings("run_ids")
        guard !ids.isEmpty else { throw ProtocolError.missing("run_ids") }
        guard ids.count <= maxRuns else {
            throw ProtocolError.invalid(
                "GetMetricHistoryBulkInterval request must specify at most \(maxRuns) run_ids. "
                    + "Received \(ids.count) run_ids.")
        }
        return ids.map { RunID($0) }
    }

    private typealias Placed = (run: RunID, point: MetricPoint)

    private static func all(_ series: [(run: RunID, points: [MetricPoint])]) -> [Placed] {
        series.flatMap { one in one.points.map { (run: one.run, point: $0) } }
    }
}
