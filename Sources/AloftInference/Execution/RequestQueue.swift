package import NIOCore

/// A model's queue: the requests that wait, who may join them, who is shed, and what became of all.
package struct RequestQueue {
    package private(set) var waiting = WaitingRequests()
    package var reading = QueueStatistics()
    package var policy: AdmissionPolicy
    /// What waits may take in memory.
    private let limitBytes: Int
    private var isClosed = false
    private var overload = OverloadDetector()
    private var arrivals = ArrivalRates()

    package init(policy: AdmissionPolicy, limitBytes: Int = .max) {
        self.policy = policy
        self.limitBytes = limitBytes
    }

    package enum Joined {
        case refused(InferenceError)
        /// It waits; these no longer do, and must be told.
        case waits(displaced: [QueuedRequest])
    }

    /// Never where no target is stated: then a queue may be as long as it likes.
    package func isOverloaded(_ now: NIODeadline) -> Bool {
        policy.targetNanoseconds != nil && overload.isOn(now)
    }

    package mutating func join(
        _ call: QueuedRequest, _ estimate: AdmissionPolicy.LatencyEstimate, now: NIODeadline
    ) -> Joined {
        if isClosed { return .refused(.shuttingDown) }
        let held = call.heldBytes
        let verdict = decide(
            call.priority, estimate, remainingNanoseconds: call.remainingNanoseconds(now),
            adding: held, now: now)
        overload.record(verdict, now)
        arrivals.record(call.priority, now)
        switch verdict {
        case .admit:
            waiting.append(call)
            return .waits(displaced: [])
        case .admitInPlaceOf(let priority):
            guard hasRoom(for: held, inPlaceOfThoseBelow: call.priority) else {
                reading.shed[call.priority] += 1
                return .refused(overloaded(1))
            }
            var displaced: [QueuedRequest] = []
            var next: RequestPriority? = priority
            repeat {
                guard let lowest = next, let other = waiting.takeLast(lowest) else { break }
                reading.shed[lowest] += 1
                displaced.append(other)
                next = waiting.counts.lowest(below: call.priority)
            } while isFull(adding: held)
            waiting.append(call)
            return .waits(displaced: displaced)
        case .refuse(let seconds), .refuseAsLate(let seconds):
            reading.shed[call.priority] += 1
            return .refused(overloaded(seconds))
        }
    }

    /// Why a request of this priority would be shed now, and counts it as that; `nil` where it
    /// may be read and submitted. Under overload most are shed, and what that costs is lost
    /// for answers, so it is asked before a body is parsed.
    package mutating func refusal(
        _ priority: RequestPriority, _ estimate: AdmissionPolicy.LatencyEstimate,
        remainingNanoseconds: Double?,
        now: NIODeadline
    ) -> InferenceError? {
        guard !isClosed else { return nil }
        let verdict = decide(
            priority, estimate, remainingNanoseconds: remainingNanoseconds, adding: 0, now: now)
        switch verdict {
        case .admit, .admitInPlaceOf: return nil
        case .refuse(let seconds), .refuseAsLate(let seconds):
            overload.record(verdict, now)
            arrivals.record(priority, now)
            reading.shed[priority] += 1
            return overloaded(seconds)
        }
    }

    private func decide(
        _ priority: RequestPriority, _ estimate: AdmissionPolicy.LatencyEstimate,
        remainingNanoseconds: Double?,
        adding bytes: Int,
        now: NIODeadline
    ) -> AdmissionPolicy.Verdict {
        var load = AdmissionPolicy.Load(
            waiting: waiting.counts, estimate: estimate, isOverloaded: isOverloaded(now),
            isFull: isFull(adding: bytes))
        if load.isOverloaded {
            load.coming = arrivals.expected(
                above: priority, within: estimate.nanosecondsUntilFree, now)
        }
        return policy.decide(priority, load, remainingNanoseconds: remainingNanoseconds)
    }

    /// One at least may wait, however large.
    private func isFull(adding bytes: Int) -> Bool {
        waiting.heldBytes > 0 && waiting.heldBytes > limitBytes - bytes
    }

    /// Whether so many bytes fit if all of a lower priority went for them.
    private func hasRoom(for bytes: Int, inPlaceOfThoseBelow priority: RequestPriority) -> Bool {
        guard isFull(adding: bytes) else { return true }
        let kept = waiting.calls.reduce(0) { $0 + ($1.priority < priority ? 0 : $1.heldBytes) }
        return kept == 0 || kept <= limitBytes - bytes
    }

    private func overloaded(_ seconds: Int) -> InferenceError {
        .overloaded(queued: waiting.counts.total, retryAfterSeconds: seconds)
    }

    /// What a displaced call is told.
    package static func tellDisplaced(_ calls: [QueuedRequest], waiting: Int) {
        for call in calls {
            call.finish(.failure(.overloaded(queued: waiting, retryAfterSeconds: 1)))
        }
    }

    package mutating func take(at places: [Int]) -> [QueuedRequest] { waiting.take(at: places) }

    /// How long one waits who names no deadline, in nanoseconds; `nil` for any time.
    package func defaultTimeoutNanoseconds(_ estimate: AdmissionPolicy.LatencyEstimate) -> Double? {
        policy.targetNanoseconds == nil ? policy.defaultTimeoutNanoseconds(estimate) : nil
    }

    /// Takes out those who do not wait any longer, with what to tell them, and counts them.
    package mutating func takeLate(
        _ now: NIODeadline, defaultTimeoutNanoseconds: Double?
    ) -> [(call: QueuedRequest, error: InferenceError)] {
        let count = waiting.counts.total
        let late = waiting.takeAll {
            $0.lateError(now, waiting: count, defaultTimeoutNanoseconds: defaultTimeoutNanoseconds)
                != nil
        }
        reading.late += late.count
        return late.compactMap { call in
            call.lateError(
                now, waiting: count, defaultTimeoutNanoseconds: defaultTimeoutNanoseconds
            ).map { (call, $0) }
        }
    }

    package mutating func takeFirst() -> QueuedRequest? { waiting.takeFirst() }

    /// Takes all out; whoever comes from now on is refused.
    package mutating func close() -> [QueuedRequest] {
        isClosed = true
        return waiting.takeAll()
    }
}
