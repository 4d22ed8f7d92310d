package import NIOCore

/// How many requests of each priority come in a time, over about the last half second.
package struct ArrivalRates: Sendable {
    private struct Rate {
        /// Requests, of which those longer ago count less.
        var count = 0.0
        var last = NIODeadline.uptimeNanoseconds(0)
    }

    private var rates = [Rate](repeating: Rate(), count: RequestPriority.allCases.count)

    /// Nanoseconds that the count reaches back.
    private static let spanNanoseconds = 5e8

    package init() {}

    package mutating func record(_ priority: RequestPriority, _ now: NIODeadline) {
        let place = priority.rawValue
        rates[place] = Rate(count: count(place, now) + 1, last: now)
    }

    private func count(_ place: Int, _ now: NIODeadline) -> Double {
        let rate = rates[place]
        return rate.count * Self.spanNanoseconds
            / (Self.spanNanoseconds + max(0, Double((now - rate.last).nanoseconds)))
    }

    /// Requests of higher priority than this that will surely come in so many nanoseconds if it goes on like
    /// this: the mean less a standard deviation of a Poisson process.
    package func expected(
        above priority: RequestPriority, within nanoseconds: Double, _ now: NIODeadline
    ) -> Double {
        var mean = 0.0
        for place in priority.rawValue + 1..<rates.count {
            // Where one comes in each interval, the count is by one more than those of the span.
            mean += max(0, count(place, now) - 1) / Self.spanNanoseconds * nanoseconds
        }
        return max(0, mean - mean.squareRoot())
    }
}
