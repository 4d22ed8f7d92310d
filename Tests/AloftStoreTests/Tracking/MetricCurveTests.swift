import AloftDomain
import AloftTestKit
import Foundation
import Testing

@testable import AloftStore

struct MetricCurveTests {
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

    private func log(_ temporary: TemporaryStore, _ points: [MetricPoint]) async throws {
        let id = id
        try await temporary.store.write { db in
            for start in stride(from: 0, to: points.count, by: 1000) {
                let part = Array(points[start..<min(start + 1000, points.count)])
                try TrackingQueries.log(db, id, [MetricSeries(key: "x", points: part)])
            }
        }
    }

    private func curve(
        _ temporary: TemporaryStore, steps: ClosedRange<Int64>? = nil, atMost limit: Int
    ) async throws -> MetricCurve {
        let id = id
        return try await temporary.store.read { db in
            try TrackingQueries.curve(db, id, key: "x", steps: steps, atMost: limit)
        }
    }

    private func point(_ step: Int, _ value: Double) -> MetricPoint {
        MetricPoint(value: value, timestamp: Int64(step) * 10, step: Int64(step))
    }

    private func isOrdered(_ points: [MetricPoint]) -> Bool {
        zip(points, points.dropFirst()).allSatisfy { MetricPoint.isEarlier($0, $1) }
    }

    @Test(arguments: 0..<12 as Range<UInt64>)
    func `a curve keeps the ends and the extremes, in order, of points that were logged`(
        seed: UInt64
    ) async throws {
        let temporary = try await makeRun()
        var chance = SplitMix64(seed: seed)
        let count = Int.random(in: 1...20_000, using: &chance)
        var points = (0..<count).map { step in
            point(
                step,
                Double.random(in: 0..<1, using: &chance) < 0.1
                    ? .nan : Double.random(in: -5...5, using: &chance))
        }
        points[Int.random(in: 0..<count, using: &chance)].value = 100
        points[Int.random(in: 0..<count, using: &chance)].value = -.greatestFiniteMagnitude
        if seed % 3 == 0 { points.shuffle(using: &chance) }
        try await log(temporary, points)
        let sorted = points.sorted(by: MetricPoint.isEarlier)
        for limit in [4, 50, 1000] {
            let found = try await curve(temporary, atMost: limit).points
            #expect(found.count <= limit && isOrdered(found))
            #expect(found.first?.isRepeat(of: sorted[0]) == true)
            #expect(found.last?.isRepeat(of: sorted[count - 1]) == true)
            let numbers = sorted.map(\.value).filter { !$0.isNaN }
            let shown = found.map(\.value).filter { !$0.isNaN }
            #expect(shown.min() == numbers.min() && shown.max() == numbers.max())
            let known = Set(points.filter { !$0.value.isNaN })
            #expect(found.allSatisfy { $0.value.isNaN || known.contains($0) })
        }
    }

    @Test(arguments: 0..<12 as Range<UInt64>)
    func `a part of a curve has the part's own ends and extremes`(seed: UInt64) async throws {
        let temporary = try await makeRun()
        var chance = SplitMix64(seed: seed)
        var points = (0..<30_000).map { point($0, Double.random(in: -5...5, using: &chance)) }
        if seed % 4 == 0 { points.shuffle(using: &chance) }
        try await log(temporary, points)
        for _ in 0..<6 {
            let start = Int64.random(in: -100..<30_000, using: &chance)
            let steps = start...(start + Int64.random(in: 0..<20_000, using: &chance))
            let inside = points.filter { steps.contains($0.step) }.sorted(
                by: MetricPoint.isEarlier)
            for limit in [8, 100] {
                let found = try await curve(temporary, steps: steps, atMost: limit).points
                #expect(found.count <= limit && isOrdered(found))
                #expect(found.first == inside.first && found.last == inside.last)
                #expect(found.map(\.value).min() == inside.map(\.value).min())
                #expect(found.map(\.value).max() == inside.map(\.value).max())
            }
        }
    }

    @Test func `what a curve reads depends on what it shows, not on what was logged`() async throws
    {
        let temporary = try await makeRun()
        var most = 0
        for count in [20_000, 60_000, 180_000] {
            let logged = count == 20_000 ? 0 : count / 3
            try await log(temporary, (logged..<count).map { point($0, Double($0 * 7919 % 10_007)) })
            for steps in [nil, Int64(count / 3)...Int64(count / 2)] {
                let curve = try await curve(temporary, steps: steps, atMost: 100)
                #expect(curve.points.count > 40)
                #expect(curve.summariesRead <= 200 && curve.blocksRead <= 30)
                most = max(most, curve.summariesRead)
            }
        }
        #expect(most > 0)
    }

    @Test func `few points are all there, and none where there is nothing`() async throws {
        let temporary = try await makeRun()
        #expect(try await curve(temporary, atMost: 10).points.isEmpty)
        let points = (0..<700).map { point($0, Double($0)) }
        try await log(temporary, points)
        #expect(try await curve(temporary, atMost: 1000).points == points)
        #expect(
            try await curve(temporary, steps: 10...12, atMost: 9).points == Array(points[10...12]))
        #expect(try await curve(temporary, steps: 900...999, atMost: 9).points.isEmpty)
        #expect(try await curve(temporary, atMost: 2).points == [points[0], points[699]])
        #expect(try await curve(temporary, atMost: 1).points == [points[699]])
    }

    @Test func `a stretch of nothing but NaN is shown as NaN`() async throws {
        let temporary = try await makeRun()
        try await log(temporary, (0..<9000).map { point($0, $0 < 3000 ? 1 : .nan) })
        let found = try await curve(temporary, atMost: 60).points
        #expect(found.contains { $0.value.isNaN && (4000..<8000).contains($0.step) })
        #expect(found.allSatisfy { $0.step >= 4000 || $0.value == 1 || $0.step >= 3000 })
    }

    @Test(arguments: 0..<50 as Range<UInt64>)
    func `a summary of summaries is the summary of all`(seed: UInt64) {
        var chance = SplitMix64(seed: seed)
        let points = (0..<60).map { _ in
            MetricPoint(
                value: [Double.nan, 1, 2, 3].randomElement(using: &chance) ?? 0,
                timestamp: Int64.random(in: 0..<4, using: &chance),
                step: Int64.random(in: 0..<20, using: &chance))
        }
        let parts = stride(from: 0, to: 60, by: 13).map { points[$0..<min($0 + 13, 60)] }
        let whole = MetricSummary.of(points)
        let again = MetricSummary.of(parts.flatMap { MetricSummary.of($0) })
        #expect(whole.count <= MetricSummary.maxCount && whole.count == again.count)
        #expect(zip(whole, again).allSatisfy { $0.isRepeat(of: $1) })
    }
}
