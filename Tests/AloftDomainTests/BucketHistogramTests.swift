import AloftDomain
import Foundation
import Testing

@Suite struct BucketHistogramTests {
    @Test("counts of other processes that would overflow stay at the largest number")
    func sumsDoNotOverflow() throws {
        let wire = Data("[[3, 18446744073709551615], [9, 18446744073709551615]]".utf8)
        var histogram = try JSONDecoder().decode(LatencyHistogram.self, from: wire)
        histogram.add(histogram)
        #expect(histogram.counts[3] == .max)
        #expect(histogram.total == .max)
        #expect(histogram.bucket(reaching: 0.5) == 3)
        let scores = try JSONDecoder().decode(ScoreHistogram.self, from: wire)
        #expect(scores.distance(to: scores) == 0)
        #expect(scores.quantile(1) != nil)
        var traffic = TrafficCount(
            requests: .max, errors: .max, latency: histogram,
            scores: AnswerScores(AnswerKind(form: .number), scores))
        traffic.add(traffic)
        #expect(traffic.failures == traffic.asked)
        #expect(traffic.scores.total == .max)
        #expect(traffic.slower(than: 0).total == .max)
    }

    @Test("a bucket that there is not is refused", arguments: ["[[217, 1]]", "[[1]]", "[[-1, 2]]"])
    func unknownBucket(wire: String) {
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode(LatencyHistogram.self, from: Data(wire.utf8))
        }
    }

    @Test("what goes over the wire comes back")
    func roundTrip() throws {
        var histogram = LatencyHistogram()
        for microseconds in [0.5, 3, 3.1, 4_000, 1e12] {
            histogram.record(microseconds: microseconds)
        }
        let back = try JSONDecoder().decode(
            LatencyHistogram.self, from: JSONEncoder().encode(histogram))
        #expect(back == histogram)
        #expect(back.since(histogram).total == 0)
    }
}
