import AloftDomain
import AloftTestKit
import Foundation
import Testing

@testable import AloftStore

struct HistoryPageTests {
    private let id = RunID("r1")

    private func makeRun() async throws -> TemporaryStore {
        let temporary = try TemporaryStore()
        let id = id
        try await temporary.store.write { db in
            _ = try TrackingQueries.createRun(
                db, NewRun(id: id, experiment: ExperimentID("0"), name: "one", startTime: 1))
        }
        return temporary
    }

    private func pages(_ temporary: TemporaryStore, limit: Int) async throws -> [HistoryPoint] {
        let id = id
        return try await temporary.store.read { db in
            var points: [HistoryPoint] = []
            while true {
                let page = try TrackingQueries.historyPage(
                    db, id, key: "x", after: points.last?.point, limit: limit)
                #expect(page.points.count <= limit)
                points += page.points
                guard page.hasMore else { return points }
                #expect(page.points.count == limit)
            }
        }
    }

    @Test(arguments: 0..<16 as Range<UInt64>)
    func `pages give every point once, in order, however it was logged`(seed: UInt64) async throws {
        let temporary = try await makeRun()
        var chance = SplitMix64(seed: seed)
        // Few times and steps, so that there are repeats and blocks that overlap.
        var points = (0..<5000).map { index in
            MetricPoint(
                value: [Double.nan, 1, 2, -0.0, 0.0].randomElement(using: &chance) ?? 0,
                timestamp: Int64(index / 7), step: Int64.random(in: 0..<5, using: &chance))
        }
        if seed % 2 == 0 { points.shuffle(using: &chance) }
        let logged = points
        let id = id
        let sizes = (0..<500).map { _ in Int.random(in: 1...400, using: &chance) }
        let history = try await temporary.store.write { db in
            var rest = logged[...]
            for size in sizes where !rest.isEmpty {
                let part = Array(rest.prefix(size))
                try TrackingQueries.log(db, id, [MetricSeries(key: "x", points: part)])
                rest = rest.dropFirst(size)
            }
            return try TrackingQueries.history(db, id, key: "x")
        }
        for limit in [97, 1000, 10_000] {
            let found = try await pages(temporary, limit: limit).map(\.point)
            #expect(found.count == history.count)
            #expect(zip(found, history).allSatisfy { $0.isRepeat(of: $1) })
        }
    }

    @Test func `a point says what it was measured on`() async throws {
        let temporary = try await makeRun()
        let id = id
        let context = MetricContext(datasetName: "test", datasetDigest: "d1")
        try await temporary.store.write { db in
            for index in 0..<1200 {
                let point = MetricPoint(value: 1, timestamp: Int64(index), step: Int64(index))
                try TrackingQueries.log(
                    db, id,
                    [
                        MetricSeries(
                            key: "x", context: index % 2 == 0 ? context : .none, points: [point])
                    ])
            }
        }
        let found = try await pages(temporary, limit: 500)
        #expect(found.map(\.point.step) == Array(0..<1200))
        #expect(found.allSatisfy { $0.context == ($0.point.step % 2 == 0 ? context : .none) })
    }

    @Test func `points logged while somebody reads neither hide nor repeat others`() async throws {
        let temporary = try await makeRun()
        let id = id
        func log(_ range: Range<Int>) async throws {
            let points = range.map {
                MetricPoint(value: 1, timestamp: Int64($0), step: Int64($0))
            }
            try await temporary.store.write { db in
                try TrackingQueries.log(db, id, [MetricSeries(key: "x", points: points)])
            }
        }
        try await log(1000..<1900)
        let first = try await temporary.store.read {
            try TrackingQueries.historyPage($0, id, key: "x", limit: 600)
        }
        try await log(0..<700)
        let rest = try await temporary.store.read {
            try TrackingQueries.historyPage(
                $0, id, key: "x", after: first.points.last?.point, limit: 600)
        }
        #expect(rest.points.map(\.point.step) == Array(1600..<1900) && !rest.hasMore)
    }
}
