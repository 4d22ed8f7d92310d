import AloftDomain
import AloftStore
import Foundation
import Testing

@testable import AloftControl

struct TrafficRecorderTests {
    private let recorder = TrafficRecorder()
    private let start = Date(timeIntervalSince1970: 1_700_000_000)
    private let revision = RevisionID("r1")

    private func report(
        _ requests: UInt64, errors: UInt64 = 0, seconds: Double, gateway: String = "g",
        incarnation: String = "1"
    ) {
        var latency = LatencyHistogram()
        for _ in 0..<requests { latency.record(microseconds: 1000) }
        recorder.record(
            gateway: GatewayID(gateway), incarnation: incarnation,
            revisions: [
                GatewayRevisionReport(
                    revision: revision, state: .ready,
                    traffic: TrafficCount(requests: requests, errors: errors, latency: latency))
            ], at: start.addingTimeInterval(seconds))
    }

    private func counts(at seconds: Double) -> [UInt64] {
        let points = recorder.points(
            of: [revision], since: start, at: start.addingTimeInterval(seconds))
        return points[revision]?.map(\.requests) ?? []
    }

    @Test func `what was counted before the first report is not shown as a burst`() {
        report(1_000_000, seconds: 0)
        report(1_000_010, errors: 2, seconds: 1)
        #expect(counts(at: 5) == [10])
    }

    @Test func `counts of gateways add up and an interval is shown once it is over`() {
        report(0, seconds: 0)
        report(0, seconds: 0, gateway: "h")
        report(10, seconds: 1)
        report(5, seconds: 2, gateway: "h")
        #expect(counts(at: 4).isEmpty)
        report(30, seconds: 6)
        #expect(counts(at: 7) == [15])
        #expect(counts(at: 10) == [15, 20])
    }

    @Test func `a gateway that started again counts from its first report`() {
        report(0, seconds: 0)
        report(100, seconds: 1)
        report(40, seconds: 6, incarnation: "2")
        report(47, seconds: 7, incarnation: "2")
        #expect(counts(at: 20) == [100, 7])
    }

    @Test func `a revision that is new to a known gateway counts from zero`() {
        recorder.record(gateway: GatewayID("g"), incarnation: "1", revisions: [], at: start)
        report(8, seconds: 1)
        #expect(counts(at: 5) == [8])
    }

    @Test func `an hour is kept`() {
        report(0, seconds: 0)
        for minute in 1...70 { report(UInt64(minute), seconds: Double(minute * 60)) }
        let end = start.addingTimeInterval(71 * 60)
        let points = recorder.points(of: [revision], since: .distantPast, at: end)[revision] ?? []
        #expect(points.count <= 61)
        #expect(points.last?.p99Microseconds != nil)
    }
}
