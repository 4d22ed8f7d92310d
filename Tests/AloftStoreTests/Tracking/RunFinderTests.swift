import AloftDomain
import AloftTestKit
import Foundation
import GRDB
import Synchronization
import Testing

@testable import AloftStore

/// Every plan of a search must give what looking at all runs gives.
struct RunFinderTests {
    private struct KnownRun {
        var info: RunInfo
        var metrics: [String: Double] = [:]
        var params: [String: String] = [:]
        /// Whether the tag that holds the name is still there.
        var hasNameTag = true

        func tag(_ key: String) -> String? {
            guard key == TrackingQueries.nameKey else { return params[key] }
            return hasNameTag ? info.name : nil
        }
    }

    private func makeRuns(
        _ count: Int, _ chance: inout SplitMix64
    ) async throws -> (TemporaryStore, [KnownRun]) {
        let temporary = try TemporaryStore()
        var known: [KnownRun] = []
        for index in 0..<count {
            let info = RunInfo(
                number: 0, id: RunID("r\(chance.next() % 1_000_000)x\(index)"),
                experiment: ExperimentID(index % 5 == 4 ? "1" : "0"), name: "n\(index % 7)",
                user: "u\(index % 3)", status: index % 4 == 0 ? .finished : .running,
                startTime: Int64.random(in: 0..<30, using: &chance),
                endTime: index % 4 == 0 ? Int64.random(in: 0..<50, using: &chance) : nil,
                artifactURI: "a", stage: index % 11 == 0 ? .deleted : .active)
            var run = KnownRun(info: info)
            for key in ["m", "o"] where Int.random(in: 0..<4, using: &chance) > 0 {
                let value = Int.random(in: 0..<9, using: &chance)
                run.metrics[key] = value == 0 ? .nan : Double(value)
            }
            for key in ["p", "q"] where Int.random(in: 0..<4, using: &chance) > 0 {
                run.params[key] = "v\(Int.random(in: 0..<6, using: &chance))"
            }
            run.hasNameTag = index % 13 != 0
            known.append(run)
        }
        let all = known
        try await temporary.store.write { db in
            try db.execute(
                sql: """
                    INSERT INTO experiment (number, project, name, artifactLocation, createdAt,
                        updatedAt) VALUES (1, 'default', 'second', 'x', 0, 0)
                    """)
            for run in all { try Self.insert(db, run) }
        }
        return (temporary, known)
    }

    private static func insert(_ db: Transaction, _ run: KnownRun) throws {
        let info = run.info
        let handle = try TrackingQueries.createRun(
            db,
            NewRun(
                id: info.id, experiment: info.experiment, name: info.name, user: info.user,
                status: info.status, startTime: info.startTime))
        try TrackingQueries.updateRun(db, handle, endTime: info.endTime)
        for (key, value) in run.metrics {
            try TrackingQueries.log(
                db, handle,
                [
                    MetricSeries(
                        key: key, points: [MetricPoint(value: value, timestamp: 1, step: 1)])
                ])
        }
        for (key, value) in run.params {
            try TrackingQueries.logParam(db, handle, NamedText(key: key, value: value))
            try TrackingQueries.setTag(db, handle, NamedText(key: key, value: value))
        }
        if !run.hasNameTag {
            try TrackingQueries.deleteTag(db, handle, key: TrackingQueries.nameKey)
        }
        if info.stage == .deleted {
            try TrackingQueries.deleteRun(db, info.id, at: Date(timeIntervalSince1970: 1))
        }
    }

    // MARK: What a search means

    private func matches(_ run: KnownRun, _ condition: RunSearch.Condition) -> Bool {
        switch condition {
        case .metric(let key, let match): compare(run.metrics[key], match)
        case .number(.startTime, let match): compare(Double(run.info.startTime), match)
        case .number(.endTime, let match): compare(run.info.endTime.map(Double.init), match)
        case .param(let key, let match): compare(run.params[key], match)
        case .tag(let key, let match): compare(run.tag(key), match)
        case .text(.name, let match): compare(run.info.name, match)
        case .text(.status, let match): compare(run.info.status.rawValue, match)
        case .text(.id, let match): compare(run.info.id.rawValue, match)
        case .text(_, let match): compare(run.info.user, match)
        case .dataset: false
        }
    }

    private func compare(_ value: Double?, _ match: NumberMatch) -> Bool {
        guard let value else { return false }
        // NaN is unlike every number, and neither before nor after one.
        guard !value.isNaN else { return match.comparator == .notEqual }
        return switch match.comparator {
        case .equal: value == match.value
        case .notEqual: value != match.value
        case .less: value < match.value
        case .lessOrEqual: value <= match.value
        case .greater: value > match.value
        case .greaterOrEqual: value >= match.value
        }
    }

    private func compare(_ value: String?, _ match: TextMatch) -> Bool {
        guard let value else { return match == .isNull }
        return switch match {
        case .equal(let text): value == text
        case .notEqual(let text): value != text
        case .like(let pattern, _): value.contains(pattern.filter { $0 != "%" })
        case .matching: false  // of traces only
        case .oneOf(let texts): texts.contains(value)
        case .noneOf(let texts): !texts.contains(value)
        case .isNull: false
        case .isNotNull: true
        }
    }

    /// Whether `left` comes before `right`; `nil` if an order does not say.
    private func precedes(_ left: KnownRun, _ right: KnownRun, _ order: RunSearch.Order) -> Bool? {
        func compare<Value: Comparable>(_ a: Value?, _ b: Value?) -> Bool? {
            guard a != b else { return nil }
            guard let a else { return false }
            guard let b else { return true }
            return order.ascending ? a < b : a > b
        }
        switch order.key {
        case .metric(let key):
            let a = left.metrics[key]
            let b = right.metrics[key]
            if let a, let b, a.isNaN || b.isNaN {
                return a.isNaN == b.isNaN ? nil : b.isNaN
            }
            return compare(a, b)
        case .param(let key): return compare(left.params[key], right.params[key])
        case .tag(let key): return compare(left.tag(key), right.tag(key))
        case .number(.startTime): return compare(left.info.startTime, right.info.startTime)
        case .number(.endTime): return compare(left.info.endTime, right.info.endTime)
        case .text(.name): return compare(left.info.name, right.info.name)
        case .text(.status): return compare(left.info.status.rawValue, right.info.status.rawValue)
        case .text(.id): return compare(left.info.id.rawValue, right.info.id.rawValue)
        case .text: return compare(left.info.user, right.info.user)
        }
    }

    private func expected(_ runs: [KnownRun], _ search: RunSearch) -> [RunID] {
        let found = runs.filter { run in
            search.experiments.contains(run.info.experiment)
                && (search.stage.map { $0 == run.info.stage } ?? true)
                && search.conditions.allSatisfy { matches(run, $0) }
        }
        let last = RunSearch.Order(.number(.startTime), ascending: false)
        let sorted = found.sorted { left, right in
            for order in search.orders + [last] {
                if let answer = precedes(left, right, order) { return answer }
            }
            return left.info.id.rawValue < right.info.id.rawValue
        }
        return sorted.dropFirst(search.offset).prefix(search.limit + 1).map(\.info.id)
    }

    // MARK: Searches

    static let numberMatches: [NumberMatch] = [
        .init(.equal, 3), .init(.notEqual, 3), .init(.less, 4), .init(.lessOrEqual, 4),
        .init(.greater, 5), .init(.greaterOrEqual, 5), .init(.greater, 100),
    ]
    static let textMatches: [TextMatch] = [
        .equal("v2"), .notEqual("v2"), .like("%v%", ignoringCase: true),
        .like("%3%", ignoringCase: false), .oneOf(["v1", "v4"]), .noneOf(["v1"]), .isNull,
        .isNotNull,
    ]
    static let conditions: [RunSearch.Condition] =
        ["m", "o", "absent"].flatMap { key in
            numberMatches.map { .metric(key, $0) }
        }
        + ["p", "q", "absent"].flatMap { key in
            textMatches.flatMap { [.param(key, $0), .tag(key, $0)] }
        } + [
            .tag(TrackingQueries.nameKey, .equal("n2")), .tag(TrackingQueries.nameKey, .isNull),
            .tag(TrackingQueries.nameKey, .notEqual("n2")),
            .tag(TrackingQueries.nameKey, .like("%n%", ignoringCase: true)),
            .text(.name, .equal("n3")), .text(.name, .like("%n%", ignoringCase: false)),
            .text(.status, .equal("RUNNING")), .text(.status, .notEqual("RUNNING")),
            .text(.userId, .equal("u1")), .text(.id, .like("%x1%", ignoringCase: false)),
            .number(.startTime, .init(.greater, 10)), .number(.startTime, .init(.less, 20)),
            .number(.endTime, .init(.lessOrEqual, 25)), .number(.endTime, .init(.notEqual, 25)),
        ]
    static let keys: [RunSearch.OrderKey] = [
        .metric("m"), .metric("o"), .metric("absent"), .param("p"), .param("absent"), .tag("q"),
        .tag(TrackingQueries.nameKey),
        .number(.startTime), .number(.endTime), .text(.name), .text(.status), .text(.userId),
        .text(.id),
    ]

    private func randomSearch(_ chance: inout SplitMix64) -> RunSearch {
        var orders: [RunSearch.Order] = []
        for key in Self.keys.shuffled(using: &chance).prefix(
            Int.random(in: 0...2, using: &chance))
        {
            orders.append(.init(key, ascending: Bool.random(using: &chance)))
        }
        let count = Int.random(in: 0...2, using: &chance)
        return RunSearch(
            experiments: Bool.random(using: &chance)
                ? [ExperimentID("0")] : [ExperimentID("0"), ExperimentID("1")],
            stage: [.active, .deleted, nil, .active].randomElement(using: &chance) ?? .active,
            conditions: Array(Self.conditions.shuffled(using: &chance).prefix(count)),
            orders: orders, limit: Int.random(in: 1...40, using: &chance),
            offset: [0, 0, 7, 60].randomElement(using: &chance) ?? 0)
    }

    @Test(arguments: 0..<8 as Range<UInt64>)
    func `every plan gives what looking at all runs gives`(seed: UInt64) async throws {
        var chance = SplitMix64(seed: seed)
        let (temporary, runs) = try await makeRuns(120, &chance)
        for _ in 0..<60 {
            let search = randomSearch(&chance)
            let wanted = expected(runs, search)
            for limits in [
                RunFinder.Limits(),
                .init(fewRuns: -1, someRuns: -1, firstStretch: 5, merged: 10_000),
                .init(fewRuns: -1, someRuns: 1000, firstStretch: 5, merged: 10_000),
                .init(fewRuns: -1, someRuns: -1, firstStretch: 1000, merged: 0),
                .init(fewRuns: 20, someRuns: 50, firstStretch: 1, merged: 10_000),
            ] {
                let found = try await temporary.store.read { db in
                    let numbers = try RunFinder(
                        db: db, search: search,
                        experiments: search.experiments.compactMap { Int64($0.rawValue) },
                        limits: limits
                    ).find()
                    return try numbers.map {
                        try db.value(
                            of: String.self, sql: "SELECT id FROM run WHERE number = ?",
                            arguments: [$0]) ?? ""
                    }
                }
                #expect(found == wanted.map(\.rawValue), "\(search) with \(limits)")
            }
        }
    }

    /// A page begins after any run of the whole, by every plan.
    @Test(arguments: 20..<26 as Range<UInt64>)
    func `a page goes on where the one before ended`(seed: UInt64) async throws {
        var chance = SplitMix64(seed: seed)
        let (temporary, runs) = try await makeRuns(120, &chance)
        for _ in 0..<50 {
            var search = randomSearch(&chance)
            search.offset = 0
            let limit = search.limit
            search.limit = 200
            let all = expected(runs, search)
            guard let place = all.indices.randomElement(using: &chance) else { continue }
            search.limit = limit
            let wanted = all.dropFirst(place + 1).prefix(limit + 1).map(\.rawValue)
            for limits in [
                RunFinder.Limits(),
                .init(fewRuns: -1, someRuns: -1, firstStretch: 5, merged: 10_000),
                .init(fewRuns: -1, someRuns: 1000, firstStretch: 5, merged: 10_000),
                .init(fewRuns: -1, someRuns: -1, firstStretch: 1000, merged: 0),
            ] {
                let base = search
                let found = try await temporary.store.read { db in
                    var search = base
                    search.after = try TrackingQueries.run(db, all[place]).map(base.position)
                    let numbers = try RunFinder(
                        db: db, search: search,
                        experiments: search.experiments.compactMap { Int64($0.rawValue) },
                        limits: limits
                    ).find()
                    return try numbers.map {
                        try db.value(
                            of: String.self, sql: "SELECT id FROM run WHERE number = ?",
                            arguments: [$0]) ?? ""
                    }
                }
                #expect(found == wanted, "\(search) after \(place) with \(limits)")
            }
        }
    }

    @Test func `no search reads a whole table`() async throws {
        var chance = SplitMix64(seed: 1)
        let (temporary, runs) = try await makeRuns(40, &chance)
        let some = runs[20].info.id
        var searches = Self.conditions.map { (conditions: [$0], orders: [RunSearch.Order]()) }
        for key in Self.keys {
            for ascending in [true, false] {
                searches.append(([], [.init(key, ascending: ascending)]))
                searches.append(
                    ([.metric("o", .init(.greater, 2))], [.init(key, ascending: ascending)]))
            }
        }
        let all = searches
        let limits: [RunFinder.Limits] = [
            .init(), .init(fewRuns: -1, someRuns: -1, firstStretch: 5, merged: 10_000),
        ]
        let scans = try await temporary.store.read { db in
            let log = Statements()
            db.database.trace { log.add($0.expandedDescription) }
            for (conditions, orders) in all {
                for limits in limits {
                    let search = RunSearch(
                        experiments: [], conditions: conditions, orders: orders, limit: 5)
                    _ = try RunFinder(db: db, search: search, experiments: [0], limits: limits)
                        .find()
                    var second = search
                    second.after = try TrackingQueries.run(db, some).map(search.position)
                    _ = try RunFinder(db: db, search: second, experiments: [0], limits: limits)
                        .find()
                }
            }
            db.database.trace(nil)
            return try log.all.flatMap { sql in
                try db.rows(sql: "EXPLAIN QUERY PLAN " + sql).compactMap { row in
                    let step: String = try row["detail"]
                    return step.hasPrefix("SCAN") && !step.contains("subquery")
                        && !step.contains("CONSTANT ROW") ? "\(step): \(sql)" : nil
                }
            }
        }
        #expect(scans == [])
    }
}

private final class Statements: Sendable {
    private let statements = Mutex<Set<String>>([])

    var all: Set<String> { statements.withLock { $0 } }

    func add(_ statement: String) {
        guard statement.hasPrefix("SELECT") else { return }
        statements.withLock { _ = $0.insert(statement) }
    }
}
