/// Whether a request may join the line for a model. Pure: what is known goes in, a verdict comes out.
///
/// A line that is long helps nobody: its requests wait, and most answers come too late. So a request is
/// let in only while it can be expected to be answered within the latency that the model is meant to
/// have, and within its own deadline. The lower its priority, the shorter the line must be.
package struct AdmissionPolicy: Sendable {
    /// Requests that may wait, whatever the expectation.
    package var limit: Int
    /// How long a request of high priority may be expected to wait, in nanoseconds.
    package var longestWait: Double
    /// A line of so many is let be, however slow the model.
    package var shortLine: Double

    package init(limit: Int, longestWait: Double, shortLine: Double = 16) {
        self.limit = limit
        self.longestWait = longestWait
        self.shortLine = shortLine
    }

    package struct Load: Sendable {
        package var waiting: PriorityCounts
        /// Requests in the model at this moment.
        package var running: Int
        /// Calls of the model that may run at once.
        package var runners: Int
        /// What a request has cost lately, its share of a batch, in nanoseconds; 0 before the first.
        package var nanosecondsEach: Double

        package init(
            waiting: PriorityCounts, running: Int, runners: Int, nanosecondsEach: Double
        ) {
            self.waiting = waiting
            self.running = running
            self.runners = runners
            self.nanosecondsEach = nanosecondsEach
        }
    }

    package enum Verdict: Sendable, Equatable {
        case admit
        /// The line is full; the last that waits with this priority must go for it.
        case admitInPlaceOf(CallPriority)
        /// Try again after so many seconds.
        case refuse(retryAfterSeconds: Int)
    }

    /// The part of `longestWait` that a priority may wait.
    private static func share(_ priority: CallPriority) -> Double {
        switch priority {
        case .high: 1
        case .normal: 0.75
        case .low: 0.5
        }
    }

    /// - Parameter remaining: nanoseconds until the request's deadline.
    package func decide(_ priority: CallPriority, _ load: Load, remaining: Double) -> Verdict {
        let each = load.nanosecondsEach / Double(max(1, load.runners))
        let ahead = load.waiting.ahead(of: priority)
        // What is in the model is on average half done.
        let wait = (Double(ahead) + Double(load.running) / 2) * each
        let isFree = ahead == 0 && load.running == 0
        let longest = max(longestWait, shortLine * each) * Self.share(priority)
        let isExpectedInTime = ahead == 0 || wait <= longest
        guard isFree || (isExpectedInTime && wait + load.nanosecondsEach <= remaining) else {
            return .refuse(retryAfterSeconds: Self.retryAfter(load, each))
        }
        guard load.waiting.total >= limit else { return .admit }
        guard let lowest = load.waiting.lowest(below: priority) else {
            return .refuse(retryAfterSeconds: Self.retryAfter(load, each))
        }
        return .admitInPlaceOf(lowest)
    }

    /// The time in which the line empties, in whole seconds from 1 to 60.
    private static func retryAfter(_ load: Load, _ each: Double) -> Int {
        Int(max(1, min(60, (Double(load.waiting.total) * each / 1e9).rounded(.up))))
    }
}
