package import NIOCore

/// How many requests of each priority come in a time, over about the last half second.
package struct ArrivalRates: Sendable {
    private struct Rate {
        /// Requests, of which those longer ago count less.
        var count = 0.0
        var last = NIODeadline.uptimeNanoseconds(0)
    }

    private var rates = [Rate](repeating: Rate(), count: CallPriority.allCases.count)

    /// Nanoseconds that the count reaches back.
    private static let span = 5e8

    package init() {}

    package mutating func record(_ priority: CallPriority, _ now: NIODeadline) {
        rates[priority.rawValue].count = count(priority, now) + 1
        rates[priority.rawValue].last = now
    }

    private func count(_ priority: CallPriority, _ now: NIODeadline) -> Double {
        let rate = rates[priority.rawValue]
        return rate.count * Self.span / (Self.span + max(0, Double((now - rate.last).nanoseconds)))
    }

    /// Requests of higher priority than this that will surely come in so many nanoseconds if it goes on like
    /// this: the mean less a standard deviation of a Poisson process.
    package func expected(
        above priority: CallPriority, within nanoseconds: Double, _ now: NIODeadline
    ) -> Double {
        // Where one comes in each interval, the count is by one more than those that come in the span.
        let mean = CallPriority.allCases.filter { $0 > priority }.reduce(0) {
            $0 + max(0, count($1, now) - 1) / Self.span * nanoseconds
        }
        return max(0, mean - mean.squareRoot())
    }
}
