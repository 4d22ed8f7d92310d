import NIOCore
import Testing

@testable import AloftGateway

@Suite struct CountersTests {
    /// The first request of a model is timed, and a slow one: taken for all it would be more than the
    /// whole that was answered.
    @Test func partsOfTheTimeAreNeverMoreThanTheWhole() {
        let counters = RevisionCounters(loops: 1)
        #expect(counters.isTimed(loop: 0))
        counters.read(loop: 0, .nanoseconds(200))
        counters.ran(loop: 0, .nanoseconds(700))
        counters.answered(loop: 0, .nanoseconds(1_000))
        for _ in 0..<2 {
            #expect(!counters.isTimed(loop: 0))
            counters.answered(loop: 0, .nanoseconds(10))
        }
        let reading = counters.read()
        let share = reading.share(of: reading.requests, within: reading.answeredNanoseconds)
        #expect(share == 1020.0 / 900.0)
        #expect(reading.share(of: reading.requests, within: 10_000) == 3)
        #expect(RevisionCounters.Reading().share(of: 5, within: 10) == 0)
    }
}
