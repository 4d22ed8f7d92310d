import AloftInference
import NIOCore
import Testing

@Suite struct BaselineLatencyTests {
    private func second(_ number: Double) -> NIODeadline {
        .uptimeNanoseconds(UInt64((number + 10) * 1e9))
    }

    /// So many requests a second, over these seconds, of which two of a hundred take longer.
    private func fill(
        _ usual: inout BaselineLatency, _ seconds: Range<Int>, slow: Double, each: Int = 100
    ) {
        for number in seconds {
            for index in 0..<each {
                let now = second(Double(number) + Double(index) / Double(each))
                usual.record(index % 50 == 7 ? slow : slow / 10, now)
            }
        }
    }

    @Test func `it is not told before there are enough to tell`() {
        var usual = BaselineLatency()
        #expect(usual.percentile99Nanoseconds == nil)
        fill(&usual, 0..<1, slow: 4e7)
        #expect(usual.percentile99Nanoseconds == nil)
    }

    @Test(arguments: [2e5, 3e6, 4.2e7, 1.9e9])
    func `the 99th percentile is known to a tenth`(nanoseconds: Double) throws {
        var usual = BaselineLatency()
        fill(&usual, 0..<20, slow: nanoseconds)
        let found = try #require(usual.percentile99Nanoseconds)
        #expect(abs(found / nanoseconds - 1) < 0.1)
    }

    @Test func `what is out of its range stays in its first and last class`() {
        for nanoseconds in [0, -5, 1e3, 1e300, .infinity] {
            var usual = BaselineLatency()
            fill(&usual, 0..<5, slow: nanoseconds)
            #expect(usual.percentile99Nanoseconds != nil)
        }
    }

    @Test func `a second of overload does not count, nor the one before it`() throws {
        var usual = BaselineLatency()
        fill(&usual, 0..<10, slow: 1e7)
        let before = try #require(usual.percentile99Nanoseconds)
        // The queue grows, and then there is overload, again and again.
        for start in stride(from: 10, to: 40, by: 3) {
            fill(&usual, start..<start + 1, slow: 1e9)
            for part in 0..<20 {
                usual.forgetLatest(second(Double(start) + 1 + Double(part) / 10))
            }
        }
        let after = try #require(usual.percentile99Nanoseconds)
        #expect(abs(after / before - 1) < 0.01)
    }

    @Test func `it follows what is usual now`() throws {
        var usual = BaselineLatency()
        fill(&usual, 0..<60, slow: 1e7)
        fill(&usual, 60..<360, slow: 1e8)
        let found = try #require(usual.percentile99Nanoseconds)
        #expect(abs(found / 1e8 - 1) < 0.1)
    }
}

@Suite struct ArrivalRatesTests {
    private func time(_ milliseconds: Double) -> NIODeadline {
        .uptimeNanoseconds(UInt64((milliseconds + 10_000) * 1e6))
    }

    @Test func `those of higher priority are expected as they came`() {
        var rates = ArrivalRates()
        // 100 a second of high and 400 of normal priority, for five seconds.
        for tick in 0..<2000 {
            let now = time(Double(tick) * 2.5)
            rates.record(.normal, now)
            if tick % 4 == 0 { rates.record(.high, now) }
        }
        let now = time(5000)
        // In a second 100 come, and rarely fewer than 90.
        #expect(abs(rates.expected(above: .normal, within: 1e9, now) - 90) < 3)
        #expect(abs(rates.expected(above: .low, within: 1e9, now) - 478) < 10)
        #expect(rates.expected(above: .high, within: 1e9, now) == 0)
        #expect(rates.expected(above: .low, within: 0, now) == 0)
    }

    @Test func `nobody is expected after nobody came for long`() {
        var rates = ArrivalRates()
        #expect(rates.expected(above: .low, within: 1e9, time(0)) == 0)
        for tick in 0..<100 { rates.record(.high, time(Double(tick))) }
        #expect(rates.expected(above: .low, within: 1e9, time(100)) > 100)
        #expect(rates.expected(above: .low, within: 1e9, time(100_000)) < 1)
        // A clock that stands still or goes back asks no more of it.
        #expect(rates.expected(above: .low, within: 1e9, time(0)).isFinite)
    }
}
