package import NIOCore

/// The calls that wait for a model, who may join them, and what became of all.
package struct CallLine {
    package private(set) var waiting = WaitingLine()
    package var reading = QueueReading()
    private let policy: AdmissionPolicy
    private var isClosed = false
    private var overload = OverloadWatch()
    private var arrivals = ArrivalRates()

    package init(policy: AdmissionPolicy) { self.policy = policy }

    package enum Joined {
        case refused(InferenceError)
        /// It waits; this one no longer does, and must be told.
        case waits(displaced: QueuedCall?)
    }

    package func isOverloaded(_ now: NIODeadline) -> Bool { overload.isOn(now) }

    package mutating func join(
        _ call: QueuedCall, _ pace: AdmissionPolicy.Pace, now: NIODeadline
    ) -> Joined {
        if isClosed { return .refused(.shuttingDown) }
        let remaining = Double((call.deadline - now).nanoseconds)
        let verdict = decide(call.priority, pace, remaining: remaining, now: now)
        overload.record(verdict, now)
        arrivals.record(call.priority, now)
        switch verdict {
        case .admit:
            waiting.append(call)
            return .waits(displaced: nil)
        case .admitInPlaceOf(let priority):
            let displaced = waiting.takeLast(priority)
            reading.shed[priority] += 1
            waiting.append(call)
            return .waits(displaced: displaced)
        case .refuse(let seconds), .refuseAsLate(let seconds):
            reading.shed[call.priority] += 1
            return .refused(overloaded(seconds))
        }
    }

    /// Why a request of this priority would be turned away now, and counts it as that; `nil` where it
    /// may be read and submitted. Under overload most are turned away, and what that costs is lost
    /// for answers, so it is asked before a body is parsed.
    package mutating func refusal(
        _ priority: CallPriority, _ pace: AdmissionPolicy.Pace, remaining: Double, now: NIODeadline
    ) -> InferenceError? {
        guard !isClosed else { return nil }
        let verdict = decide(priority, pace, remaining: remaining, now: now)
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
        _ priority: CallPriority, _ pace: AdmissionPolicy.Pace, remaining: Double, now: NIODeadline
    ) -> AdmissionPolicy.Verdict {
        var load = AdmissionPolicy.Load(
            waiting: waiting.counts, pace: pace, isOverloaded: isOverloaded(now))
        if load.isOverloaded {
            load.coming = arrivals.expected(above: priority, within: pace.untilFree, now)
        }
        return policy.decide(priority, load, remaining: remaining)
    }

    private func overloaded(_ seconds: Int) -> InferenceError {
        .overloaded(queued: waiting.counts.total, retryAfterSeconds: seconds)
    }

    /// What a displaced call is told.
    package static func tellDisplaced(_ call: QueuedCall?, waiting: Int) {
        call?.finish(.failure(.overloaded(queued: waiting, retryAfterSeconds: 1)))
    }

    package mutating func take(at places: [Int]) -> [QueuedCall] { waiting.take(at: places) }

    /// Takes out those whose deadline has passed, and counts them.
    package mutating func takeLate(_ now: NIODeadline) -> [QueuedCall] {
        let late = waiting.takeAll { $0.deadline <= now }
        reading.late += late.count
        return late
    }

    package mutating func takeFirst() -> QueuedCall? { waiting.takeFirst() }

    /// Takes all out; whoever comes from now on is turned away.
    package mutating func close() -> [QueuedCall] {
        isClosed = true
        return waiting.takeAll()
    }
}
