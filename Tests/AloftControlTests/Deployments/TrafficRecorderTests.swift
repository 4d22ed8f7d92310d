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

    @Test func `what is refused has its place beside what fails`() throws {
        func report(_ traffic: TrafficCount, seconds: Double) {
            recorder.record(
                gateway: GatewayID("g"), incarnation: "1",
                revisions: [
                    GatewayRevisionReport(revision: revision, state: .ready, traffic: traffic)
                ], at: start.addingTimeInterval(seconds))
        }
        report(TrafficCount(), seconds: 0)
        report(TrafficCount(refused: 13, turnedAway: 2), seconds: 1)
        let points = recorder.points(
            of: [revision], since: start, at: start.addingTimeInterval(9))[revision]
        let point = try #require(points?.first)
        #expect((point.requests, point.refused, point.turnedAway) == (0, 13, 2))
    }

    @Test func `what was asked of no revision is told by kind, since a gateway is known`() {
        func report(_ counts: [(String, UInt64)], seconds: Double, incarnation: String = "1") {
            recorder.record(
                gateway: GatewayID("g"), incarnation: incarnation, revisions: [],
                unrouted: counts.map { name, count in
                    (.init(code: "model_not_found", status: 404, endpoint: name), count)
                }, at: start.addingTimeInterval(seconds))
        }
        report([("old", 1000)], seconds: 0)
        report([("old", 1000), ("a", 2)], seconds: 1)
        report([("old", 1001), ("a", 7)], seconds: 6)
        report([("a", 50)], seconds: 7, incarnation: "2")
        report([("a", 51)], seconds: 8, incarnation: "2")
        let found = recorder.unrouted(since: start, at: start.addingTimeInterval(9))
        #expect(found.map(\.unrouted.endpoint) == ["a", "old"])
        #expect(found.map(\.requests) == [8, 1])
        for number in 0..<1000 { report([("name-\(number)", 1)], seconds: 10, incarnation: "2") }
        let end = start.addingTimeInterval(20)
        #expect(recorder.unrouted(since: start, at: end).count <= 210, "names are foreign")
        #expect(recorder.unrouted(since: end, at: end).isEmpty)
    }

    @Test func `an hour is kept`() {
        report(0, seconds: 0)
        for minute in 1...70 { report(UInt64(minute), seconds: Double(minute * 60)) }
        let end = start.addingTimeInterval(71 * 60)
        let points = recorder.points(of: [revision], since: .distantPast, at: end)[revision] ?? []
        #expect(points.count <= 61)
        #expect(points.last?.p99Microseconds != nil)
    }

    @Test func `gateways that are gone are forgotten, and so are the oldest of too many`() {
        let recorder = TrafficRecorder(mostGateways: 20)
        let unrouted = TrafficRecorder.Unrouted(code: "model_not_found", status: 404, endpoint: "m")
        func record(_ gateway: String, _ requests: UInt64 = 0, seconds: Double) {
            recorder.record(
                gateway: GatewayID(gateway), incarnation: "1",
                revisions: [
                    GatewayRevisionReport(
                        revision: revision, state: .ready, traffic: TrafficCount(requests: requests)
                    )
                ], unrouted: [(unrouted, 1)], at: start.addingTimeInterval(seconds))
        }
        for number in 0..<50 { record("g\(number)", seconds: Double(number)) }
        #expect(recorder.gatewayCount == 20)
        // Reports that break off count alike.
        for number in 0..<50 {
            recorder.record(
                GatewayRevisionReport(revision: revision, state: .ready),
                of: GatewayID("half-\(number)"), incarnation: "1",
                at: start.addingTimeInterval(60))
        }
        #expect(recorder.gatewayCount == 20)
        record("g", 1, seconds: 60 + 3700)
        #expect(recorder.gatewayCount == 1)
        record("g", 5, seconds: 60 + 3701)
        let points = recorder.points(
            of: [revision], since: start, at: start.addingTimeInterval(60 + 3720))
        #expect(points[revision]?.map(\.requests) == [4])
    }
}
