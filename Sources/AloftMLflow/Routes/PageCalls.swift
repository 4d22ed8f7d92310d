import AloftDomain
import AloftStore

/// What the web interface asks beyond the protocol: many curves at once, groups of runs and how many
/// there are. Names and grammar are the protocol's.
struct PageCalls: Sendable {
    let service: MLflowService

    private static let maxRuns = 500
    private static let maxMetrics = 12
    /// Points of all curves together.
    private static let usualPoints: Int64 = 16_000
    private static let mostPoints: Int64 = 100_000
    private static let usualGroups: Int64 = 500
    /// Points that are read to smooth the curves of one question.
    private static let mostSmoothed: Int64 = 5_000_000
    /// Names of a kind.
    private static let mostKeys = 2000

    func add<Context>(to calls: CallRouter<Context>) {
        calls.post("/ajax-api/aloft/curves", .read, of: Subjects.runs, curves)
        calls.postSearch("/ajax-api/aloft/runs/search", .read, of: Subjects.experiments, search)
        calls.post("/ajax-api/aloft/runs/count", .read, of: Subjects.experiments, count)
        calls.post("/ajax-api/aloft/runs/keys", .read, of: Subjects.experiments, keys)
        calls.post("/ajax-api/aloft/runs/groups", .read, of: Subjects.experiments, groups)
    }

    /// One metric of many runs; each curve's steps, times and values as lists of the same length, in the
    /// order of `axis`. With `smoothing` the smoothed values as well, made of all points of each series.
    private func curves(_ call: Call) async throws -> [UInt8] {
        // Each once, in order.
        var seen: Set<RunID> = []
        let runs = try call.fields.strings("run_ids").map { RunID($0) }
            .filter { seen.insert($0).inserted }
        guard (1...Self.maxRuns).contains(runs.count) else {
            throw ProtocolError.invalid("Give 1 to \(Self.maxRuns) values of 'run_ids'.")
        }
        let key = try call.fields.string("metric_key")
        let steps = try MetricCalls.steps(call.fields)
        let total = try call.fields.maxResults(default: Self.usualPoints, limit: Self.mostPoints)
        let (axis, smoothing) = (try Self.axis(call.fields), try Self.smoothing(call.fields))
        let found = try await service.store.search { db in
            if smoothing != nil { try Self.allowReading(db, runs, key) }
            return try TrackingQueries.placedCurves(
                db, runs, key: key, steps: steps, total: total, by: axis, smoothing: smoothing)
        }
        return JSONWriter.document { writer in
            writer.list("curves", found) { writer, one in
                writer.object { writer in
                    writer.member("run_id", one.run.rawValue)
                    writer.member("start_time", one.runStart)
                    writer.member("point_count", one.pointCount)
                    writer.list("steps", one.curve.points) { $0.number($1.step) }
                    writer.list("times", one.curve.points) { $0.number($1.timestamp) }
                    writer.list("values", one.curve.points) { $0.value(.double($1.value)) }
                    if let smoothed = one.smoothed {
                        writer.list("smoothed", smoothed) { $0.value(.double($1)) }
                    }
                }
            }
        }
    }

    private static func axis(_ fields: Fields) throws -> MetricAxis {
        switch try fields.optionalString("axis") {
        case nil, "step": .step
        case "time": .time
        case let other?:
            throw ProtocolError.invalid(
                "Invalid axis '\(other.prefix(100))': expected step or time.")
        }
    }

    private static func smoothing(_ fields: Fields) throws -> Double? {
        guard fields.has("smoothing") else { return nil }
        let weight = try fields.double("smoothing")
        guard weight >= 0, weight < 1 else {
            throw ProtocolError.invalid(
                "Invalid smoothing \(weight): expected a number from 0 up to but not 1.")
        }
        return weight
    }

    /// Smoothing reads every point, so there is an end to how many.
    private static func allowReading(_ db: Transaction, _ runs: [RunID], _ key: String) throws {
        let count = try TrackingQueries.pointCount(db, runs, key: key)
        guard count <= mostSmoothed else {
            throw ProtocolError.invalid(
                "Smoothing reads all \(count) points of these runs; at most \(mostSmoothed) are "
                    + "read at once. Choose fewer runs.")
        }
    }

    /// The names of all that the runs of these experiments logged.
    private func keys(_ call: Call) async throws -> [UInt8] {
        let experiments = try call.fields.strings("experiment_ids").map { ExperimentID($0) }
        let keys = try await service.store.search { db in
            try TrackingQueries.runKeys(db, experiments: experiments, limit: Self.mostKeys)
        }
        return JSONWriter.document { writer in
            writer.list("metrics", keys.metrics) { $0.string($1) }
            writer.list("params", keys.params) { $0.string($1) }
            writer.list("tags", keys.tags) { $0.string($1) }
            writer.member("has_more", keys.hasMore)
        }
    }

    /// `runs/search` within one group: `group_by` names what the runs share, `group_value` the value,
    /// which is left out for the runs without one.
    private func search(_ call: Call) async throws -> [UInt8] {
        var search = try RunCalls.search(call.fields)
        if let grouping = try Self.grouping(call.fields) {
            let value = try call.fields.optionalString("group_value")
            search.conditions.append(grouping.condition(value))
        }
        return try await RunCalls.answer(search, service.store)
    }

    private func count(_ call: Call) async throws -> [UInt8] {
        let search = try RunCalls.search(call.fields)
        let count = try await service.store.search { try TrackingQueries.count($0, search) }
        return JSONWriter.document { $0.member("count", count) }
    }

    private func groups(_ call: Call) async throws -> [UInt8] {
        let search = try RunCalls.search(call.fields, defaultLimit: Self.usualGroups)
        guard let grouping = try Self.grouping(call.fields) else {
            throw ProtocolError.missing("group_by")
        }
        let metrics = try call.fields.strings("metrics")
        guard metrics.count <= Self.maxMetrics else {
            throw ProtocolError.invalid("Give at most \(Self.maxMetrics) values of 'metrics'.")
        }
        let found = try await service.store.search { db in
            try TrackingQueries.groups(db, search, by: grouping, metrics: metrics)
        }
        return JSONWriter.document { writer in
            writer.list("groups", found.prefix(search.limit)) { writer, group in
                writer.object { writer in
                    writer.member("value", group.value)
                    writer.member("count", group.count)
                    let means = zip(metrics, group.means).filter { $0.1 != nil }
                    writer.list("means", Array(means)) { writer, mean in
                        writer.object { writer in
                            writer.member("key", mean.0)
                            writer.member("value", mean.1 ?? .nan)
                        }
                    }
                }
            }
            writer.member("has_more", found.count > search.limit)
        }
    }

    /// `status`, or a parameter or tag as filters name it: `params.depth`. A key is taken as it is,
    /// without quotes, since nothing follows it.
    private static func grouping(_ fields: Fields) throws -> RunGrouping? {
        guard let text = try fields.optionalString("group_by"), !text.isEmpty else { return nil }
        if text == "status" { return .status }
        for (prefix, make) in [("params.", RunGrouping.param), ("tags.", RunGrouping.tag)] {
            if let key = text.rest(after: prefix), !key.isEmpty { return make(String(key)) }
        }
        throw ProtocolError.invalid(
            "Invalid group_by '\(text.prefix(100))': expected status, params.KEY or tags.KEY.")
    }
}
