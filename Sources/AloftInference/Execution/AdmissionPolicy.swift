import AloftDomain

/// Admission control and load shedding: whether a request may join the queue for a model, or is shed. Pure:
/// what is known goes in, a verdict comes out.
///
/// Where nobody said how long an answer may take, a request waits until its own deadline, or for two
/// seconds where it names none: callers that wait for their answers are not a flood, however many. What
/// waits is bounded by the memory that it takes.
///
/// Where a target is stated, whoever comes is let in while the wait that is to be expected is within a
/// part of the latency that the model is meant to have, and the answer within the request's own
/// deadline. The lower its priority, the shorter the queue must be; where it is too long, the last of a
/// lower priority goes for a higher one.
///
/// While more comes than can be answered, a queue would stay at that length, and waiting in it help nobody.
/// So under overload only so many wait as the model needs to be
/// kept busy: who is let in waits for no more than about one batch. Since more come in the time of a
/// batch than fit into the next, those who come late in it fill it. Places that higher priorities will need
/// until then are kept for them: who is let in and then displaced was read in vain.
package struct AdmissionPolicy: Sendable {
    /// Requests that may wait, whatever the expectation.
    package var limit: Int
    /// How long an answer may take, in nanoseconds; `nil` where nobody said.
    package var targetNanoseconds: Double?

    /// How long a request waits that names no deadline, where no target is stated; in nanoseconds.
    package static let defaultTimeoutNanoseconds = 2e9
    /// A queue of so many is let be, however slow the model, until there is overload.
    private static let shortQueue = 16.0
    /// Calls of one request that may be waited for under overload, where batches take no longer.
    private static let callsAhead = 3.0

    package init(limit: Int, targetNanoseconds: Double?) {
        self.limit = limit
        self.targetNanoseconds = targetNanoseconds
    }

    /// How quickly a model answers, in nanoseconds.
    package struct LatencyEstimate: Sendable {
        /// Until one of its runners can take the next batch; 0 where one is free.
        package var nanosecondsUntilFree: Double
        /// Batches that may run at once.
        package var runners: Int
        /// Requests of a full batch, at least 1, and what it takes.
        package var batchRequests: Double
        package var batchNanoseconds: Double
        /// What a request takes alone.
        package var loneNanoseconds: Double

        package init(
            nanosecondsUntilFree: Double, runners: Int, batchRequests: Double = 1,
            batchNanoseconds: Double,
            loneNanoseconds: Double
        ) {
            self.nanosecondsUntilFree = nanosecondsUntilFree
            self.runners = max(1, runners)
            self.batchRequests = max(1, batchRequests)
            self.batchNanoseconds = batchNanoseconds
            self.loneNanoseconds = loneNanoseconds
        }

        /// From one request's answer to the next one's.
        var nanosecondsEach: Double { batchNanoseconds / batchRequests / Double(runners) }

        /// Until a runner takes who has so many before it.
        func waitNanoseconds(behind ahead: Int) -> Double {
            let batches = (Double(ahead) / batchRequests).rounded(.down)
            return nanosecondsUntilFree + batches * batchNanoseconds / Double(runners)
        }
    }

    package struct Load: Sendable {
        package var waiting: PriorityCounts
        package var estimate: LatencyEstimate
        /// More comes than can be answered.
        package var isOverloaded: Bool
        /// Requests of higher priority that will come until a runner is free; looked at under overload.
        package var coming: Double
        /// What waits takes all the memory that it may.
        package var isFull: Bool

        package init(
            waiting: PriorityCounts, estimate: LatencyEstimate, isOverloaded: Bool,
            coming: Double = 0,
            isFull: Bool = false
        ) {
            self.waiting = waiting
            self.estimate = estimate
            self.isOverloaded = isOverloaded
            self.coming = coming
            self.isFull = isFull
        }
    }

    package enum Verdict: Sendable, Equatable {
        case admit
        /// The queue is too long; the last that waits with this priority must go for it.
        case admitInPlaceOf(RequestPriority)
        /// The queue is too long. Try again after so many seconds.
        case refuse(retryAfterSeconds: Int)
        /// It cannot be answered before its own deadline; another may well be.
        case refuseAsLate(retryAfterSeconds: Int)
    }

    /// The part of the longest wait that a priority may be expected to wait.
    private static func share(_ priority: RequestPriority) -> Double {
        switch priority {
        case .high: 1
        case .normal: 0.75
        case .low: 0.5
        }
    }

    /// How long a request may wait that names no deadline, in nanoseconds: as long as the shortest queue
    /// takes where a model is slow.
    package func defaultTimeoutNanoseconds(_ estimate: LatencyEstimate) -> Double {
        max(Self.defaultTimeoutNanoseconds, Self.shortQueue * estimate.nanosecondsEach)
    }

    /// How long a request of high priority may be expected to wait, in nanoseconds.
    private func longestWaitNanoseconds(_ load: Load, target: Double) -> Double {
        let estimate = load.estimate
        // A batch takes up to half of the target, and each waits for its own and the one before it.
        let usual = max(target / 4, Self.shortQueue * estimate.nanosecondsEach)
        guard load.isOverloaded else { return usual }
        return min(
            usual, max(estimate.batchNanoseconds, Self.callsAhead * estimate.loneNanoseconds))
    }

    /// - Parameter remainingNanoseconds: until the request's deadline; `nil` where it names none.
    package func decide(_ priority: RequestPriority, _ load: Load, remainingNanoseconds: Double?)
        -> Verdict
    {
        let waiting = load.waiting.total
        let wait = load.estimate.waitNanoseconds(behind: waiting)
        if waiting == 0, load.estimate.nanosecondsUntilFree <= 0 { return .admit }
        let retryAfter = retryAfter(load)
        if let remaining = remainingNanoseconds, wait + load.estimate.loneNanoseconds > remaining {
            return .refuseAsLate(retryAfterSeconds: retryAfter)
        }
        guard let targetNanoseconds else {
            return decideWithoutTarget(
                priority, load, wait: wait, isNamed: remainingNanoseconds != nil)
        }
        let ahead = load.isOverloaded ? waiting + Int(bounded: load.coming, 0...1_000_000) : waiting
        let longest = longestWaitNanoseconds(load, target: targetNanoseconds) * Self.share(priority)
        if load.estimate.waitNanoseconds(behind: ahead) <= longest, waiting < limit, !load.isFull {
            return .admit
        }
        guard let lowest = load.waiting.lowest(below: priority) else {
            return .refuse(retryAfterSeconds: retryAfter)
        }
        return .admitInPlaceOf(lowest)
    }

    /// Where no target is stated.
    private func decideWithoutTarget(
        _ priority: RequestPriority, _ load: Load, wait: Double, isNamed: Bool
    ) -> Verdict {
        let isLate = !isNamed && wait > defaultTimeoutNanoseconds(load.estimate)
        if !isLate, load.waiting.total < limit, !load.isFull { return .admit }
        if let lowest = load.waiting.lowest(below: priority) { return .admitInPlaceOf(lowest) }
        let seconds = retryAfter(load)
        return isLate
            ? .refuseAsLate(retryAfterSeconds: seconds) : .refuse(retryAfterSeconds: seconds)
    }

    /// The time in which the queue empties, in whole seconds from 1 to 60.
    private func retryAfter(_ load: Load) -> Int {
        let seconds = Double(load.waiting.total) * load.estimate.nanosecondsEach / 1e9
        return Int(bounded: seconds.rounded(.up), 1...60)
    }
}
