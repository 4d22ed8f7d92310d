import AloftDomain
import Foundation
import Testing

struct ScoreHistogramTests {
    @Test func `buckets ascend with the score, and their middles lie in them`() {
        let scores: [Double] = [
            -.infinity, -1e9, -3, -1, -0.5, -1e-3, -1e-9, 0, 1e-9, 1e-3, 0.1, 0.5, 0.99, 1, 1.2,
            1e6, 1e300, .infinity,
        ]
        let buckets = scores.map(ScoreHistogram.bucket)
        #expect(buckets == buckets.sorted())
        for bucket in 0..<ScoreHistogram.bucketCount - 1 {
            #expect(ScoreHistogram.bucket(ScoreHistogram.middle(bucket)) == bucket)
        }
        #expect(ScoreHistogram.bucket(.nan) == ScoreHistogram.bucketCount - 1)
    }

    @Test func `sums, differences and the wire keep the counts`() throws {
        var first = ScoreHistogram()
        for score in [0.1, 0.5, -2, .nan] { first.record(score) }
        var second = first
        second.record(0.5)
        #expect(second.since(first).total == 1)
        #expect(first.since(second) == first, "a reset counter counts from zero")
        let wire = try JSONEncoder().encode(second)
        #expect(try JSONDecoder().decode(ScoreHistogram.self, from: wire) == second)
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode(ScoreHistogram.self, from: Data("[[100000,1]]".utf8))
        }
    }

    @Test func `the distance is that of the distribution functions`() {
        var (first, second) = (ScoreHistogram(), ScoreHistogram())
        #expect(first.distance(to: second) == nil)
        for score in [0.1, 0.2, 0.3, 0.4] { first.record(score) }
        for score in [0.3, 0.4, 0.5, 0.6] { second.record(score) }
        #expect(first.distance(to: second) == 0.5)
        #expect(first.distance(to: first) == 0)
    }

    @Test func `scores are kept apart by what they are, also over the wire`() throws {
        let (labels, rows) = (AnswerKind(form: .labels), AnswerKind(form: .row, width: 3))
        var scores = AnswerScores()
        for number in 0..<30 { scores.record(Double(number % 2), of: labels) }
        scores.record(0.5, of: rows)
        #expect(scores.kinds == [labels], "one of thirty moves nothing")
        let earlier = scores
        for _ in 0..<10 { scores.record(0.25, of: rows) }
        #expect(scores.kinds == [labels, rows])
        #expect(scores.since(earlier).kinds == [rows])
        let back = try JSONDecoder().decode(
            AnswerScores.self, from: JSONEncoder().encode(scores))
        #expect(back == scores)
        let old = try JSONDecoder().decode(AnswerScores.self, from: Data("[[300,7]]".utf8))
        #expect(old.kinds == [AnswerKind(form: .untold)] && old.total == 7)
    }

    @Test func `rows whose width begins to change are not counted anew`() {
        let (three, any) = (
            AnswerKind(form: .row, width: 3), AnswerKind(form: .row, width: 0)
        )
        var (earlier, later) = (AnswerScores(), AnswerScores())
        for _ in 0..<1000 { earlier.record(0.5, of: three) }
        for _ in 0..<1001 { later.record(0.5, of: any) }
        #expect(later.since(earlier).total == 1)
        #expect(later.since(later).total == 0)
        // A kind that is still there keeps what it had.
        var both = earlier
        both.record(0.5, of: any)
        #expect(both.since(earlier).total == 1)
    }

    @Test func `counts that were stored before scores were known are read`() throws {
        let text = #"{"requests":3,"errors":1,"latency":[[5,2]]}"#
        let count = try JSONDecoder().decode(TrafficCount.self, from: Data(text.utf8))
        #expect(count.requests == 3)
        #expect(count.scores.total == 0)
    }
}
