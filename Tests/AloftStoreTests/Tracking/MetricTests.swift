import AloftDomain
import AloftTestKit
import Foundation
import Testing

@testable import AloftStore

struct MetricTests {
    private let start = Date(timeIntervalSince1970: 1_700_000_000)

    private func makeRun() async throws -> (TemporaryStore, RunID) {
        let temporary = try TemporaryStore()
        let id = RunID("r1")
        try await temporary.store.write { db in
            _ = try TrackingQueries.createRun(
                db, NewRun(id: id, experiment: ExperimentID("0"), name: "one", startTime: 1))
        }
        return (temporary, id)
    }

    @Test func `the latest is the greatest by step, then time, then value`() async throws {
        let (temporary, id) = try await makeRun()
        try await temporary.store.write { db in
            let points = [(1.0, 5, 3), (2.0, 9, 2), (0.5, 6, 3), (0.7, 6, 3)].map {
                MetricPoint(value: $0.0, timestamp: Int64($0.1), step: Int64($0.2))
            }
            for point in points {
                try TrackingQueries.log(db, id, [MetricSeries(key: "loss", points: [point])])
            }
            #expect(
                try TrackingQueries.latestMetric(db, id, key: "loss")
                    == MetricPoint(value: 0.7, timestamp: 6, step: 3))
            #expect(
                try TrackingQueries.history(db, id, key: "loss").map(\.value) == [1, 0.5, 0.7, 2])
        }
    }

    @Test func `a repeat is dropped wherever it is kept`() async throws {
        let (temporary, id) = try await makeRun()
        try await temporary.store.write { db in
            let points = (0..<700).map {
                MetricPoint(value: .nan, timestamp: Int64($0), step: Int64($0))
            }
            for chunk in [points[0..<10], points[0..<600], points[5..<700], points[699..<700]] {
                try TrackingQueries.log(
                    db, id, [MetricSeries(key: "x", points: Array(chunk))])
            }
            let history = try TrackingQueries.history(db, id, key: "x")
            #expect(history.map(\.step) == points.map(\.step))
            #expect(history.allSatisfy { $0.value.isNaN })
        }
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func `any points come back, however they were batched`(seed: UInt64) async throws {
        let (temporary, id) = try await makeRun()
        var chance = SplitMix64(seed: seed)
        let points = (0..<2000).map { _ in
            MetricPoint(
                value: Double.random(in: -1e9...1e9, using: &chance),
                timestamp: Int64.random(in: 0...(1 << 50), using: &chance),
                step: Int64(bitPattern: chance.next()))
        }
        var batches: [[MetricPoint]] = []
        var rest = points[...]
        while !rest.isEmpty {
            let count = Int.random(in: 1...300, using: &chance)
            batches.append(Array(rest.prefix(count)))
            rest = rest.dropFirst(count)
        }
        let written = batches
        try await temporary.store.write { db in
            for batch in written {
                try TrackingQueries.log(db, id, [MetricSeries(key: "x", points: batch)])
            }
            let history = try TrackingQueries.history(db, id, key: "x")
            #expect(history == points.sorted(by: MetricPoint.isReadBefore))
            #expect(
                try TrackingQueries.latestMetric(db, id, key: "x")
                    == points.max(by: MetricPoint.isEarlier))
        }
    }

    @Test func `a run takes params once, tags again, and neither when it is deleted`() async throws
    {
        let (temporary, id) = try await makeRun()
        let start = start
        try await temporary.store.write { db in
            let run = try TrackingQueries.activeRun(db, id)
            let param = NamedText(key: "a", value: "1")
            try TrackingQueries.logParam(db, run, param)
            try TrackingQueries.logParam(db, run, param)
            #expect(throws: TrackingError.paramChanged(key: "a", old: "1", new: "2")) {
                try TrackingQueries.logParam(db, run, NamedText(key: "a", value: "2"))
            }
            try TrackingQueries.setTag(db, id, NamedText(key: "mlflow.runName", value: "two"))
            #expect(try TrackingQueries.run(db, id)?.info.name == "two")
            try TrackingQueries.deleteRun(db, id, at: start)
            #expect(throws: TrackingError.runDeleted("r1")) {
                try TrackingQueries.setTag(db, id, param)
            }
            #expect(try TrackingQueries.setStatus(db, id, .finished, at: start))
            #expect(try !TrackingQueries.setStatus(db, id, .failed, at: start))
        }
    }
}
