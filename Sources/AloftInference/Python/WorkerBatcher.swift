import AloftDomain
package import NIOCore

/// The queue of a Python model, and what its workers take from it. Pure: what is known of workers and time
/// goes in, what is to be done comes out.
package struct WorkerBatcher {
    package struct Settings: Sendable, Equatable {
        /// So many workers; `nil`: one, and more while a backlog waits for them.
        package var workers: Int?
        /// Rows of one call at most; 1 never batches.
        package var batchRows = 1
        /// How long an answer may take; `nil` where nobody said.
        package var targetNanoseconds: Double?

        package init() {}
    }

    package enum Step {
        /// Nobody waits, or another worker waits for more of them.
        case idle
        /// Others will come within so many nanoseconds, to share the call.
        case hold(nanoseconds: Double)
        /// With these, which are expected to take so long.
        case run([QueuedRequest], number: Int, nanoseconds: Double)
    }

    private struct Run {
        let number: Int
        let requests: Int
        let rows: Int
        /// How long its requests waited, all together, in nanoseconds.
        let queued: UInt64
        let began: NIODeadline
        let expectedEnd: NIODeadline
    }

    package var queue: RequestQueue
    package private(set) var settings: Settings
    /// Workers that answer, or are being started.
    package var workers = 0
    /// A worker waits for more calls; whoever brings the queue to `wanted` wakes it.
    package private(set) var isHolding = false
    private var wanted = 0
    /// A worker's share of all who waited or were in the model as the last call of it began.
    private var expected = 0
    private var runs: [Run] = []
    private var lastNumber = 0
    private var learned = BatchCostModel()
    /// Of a request, smoothed.
    private var rows = 1.0
    /// Since when whoever ends a call finds others waiting.
    private var backlogSince: NIODeadline?

    /// What requests that share a call may hold.
    private static let batchBytes = 8 << 20
    private static let smoothing = 0.125
    /// So long a backlog must last before another worker is started for it.
    private static let scaleUpDelay = TimeAmount.milliseconds(500)
    /// Less than a thread's wake-up takes is not worth to hold a call for.
    private static let shortestHoldNanoseconds = 50_000.0

    package init(settings: Settings, limit: Int, limitBytes: Int) {
        self.settings = settings
        queue = RequestQueue(
            policy: AdmissionPolicy(limit: limit, targetNanoseconds: settings.targetNanoseconds),
            limitBytes: limitBytes)
    }

    /// Other settings from now on.
    package mutating func adjust(_ settings: Settings) {
        self.settings = settings
        queue.policy.targetNanoseconds = settings.targetNanoseconds
    }

    private var cost: BatchCost { learned.ofRows(elements: 1) }

    private var batching: BatchPolicy {
        BatchPolicy(
            maximumRows: settings.batchRows,
            targetNanoseconds: BatchPolicy.targetNanoseconds(
                settings.targetNanoseconds,
                cost.nanoseconds(rows: Int(bounded: rows, 1...1_000_000))
            ))
    }

    // MARK: Who comes

    /// - Returns: what became of it, and whether the worker that holds is to be woken.
    package mutating func join(
        _ call: QueuedRequest, now: NIODeadline
    ) -> (joined: RequestQueue.Joined, wakesHolder: Bool) {
        let joined = queue.join(call, estimate(now), now: now)
        guard isHolding, queue.waiting.counts.total >= wanted else { return (joined, false) }
        isHolding = false
        return (joined, true)
    }

    private func estimate(_ now: NIODeadline) -> AdmissionPolicy.LatencyEstimate {
        var nanosecondsUntilFree = 0.0
        if runs.count >= workers, let end = runs.lazy.map(\.expectedEnd).min() {
            nanosecondsUntilFree = max(1, Double((end - now).nanoseconds))
        }
        let each = max(rows, 1)
        let most = batching.rowLimit(cost, isOverloaded: queue.isOverloaded(now))
        let requests = max(1, (Double(most) / each).rounded(.down))
        return AdmissionPolicy.LatencyEstimate(
            nanosecondsUntilFree: nanosecondsUntilFree, runners: workers, batchRequests: requests,
            batchNanoseconds: cost.fixedNanoseconds + cost.eachNanoseconds * each * requests,
            loneNanoseconds: cost.fixedNanoseconds + cost.eachNanoseconds * each)
    }

    /// Takes out those who do not wait any longer, with what to tell them.
    package mutating func takeLate(
        _ now: NIODeadline
    ) -> [(call: QueuedRequest, error: InferenceError)] {
        guard !queue.waiting.calls.isEmpty else { return [] }
        return queue.takeLate(
            now, defaultTimeoutNanoseconds: queue.defaultTimeoutNanoseconds(estimate(now)))
    }

    // MARK: Who is taken

    /// A worker is free.
    ///
    /// - Parameter mayHold: false where it has just held what waits.
    package mutating func next(_ now: NIODeadline, mayHold: Bool) -> Step {
        guard let first = queue.waiting.calls.first, !isHolding else { return .idle }
        let waiting = queue.waiting.counts.total
        let cost = cost
        let limit = batching.rowLimit(cost, isOverloaded: queue.isOverloaded(now))
        if mayHold {
            let hold = batching.holdNanoseconds(
                waiting: waiting, expected: expected,
                oldestWaitNanoseconds: Double((now - first.queuedAt).nanoseconds), cost: cost)
            if hold > Self.shortestHoldNanoseconds {
                isHolding = true
                wanted = min(expected, limit)
                return .hold(nanoseconds: hold)
            }
        }
        let running = runs.reduce(0) { $0 + $1.requests }
        expected = (waiting + running + max(workers, 1) - 1) / max(workers, 1)
        let calls = queue.take(at: Array(0..<count(within: share(of: limit, cost))))
        lastNumber += 1
        let rows = calls.reduce(0) { $0 + $1.request.tensors.rowCount }
        self.rows += (Double(rows) / Double(max(calls.count, 1)) - self.rows) * Self.smoothing
        let time = cost.nanoseconds(rows: rows)
        runs.append(
            Run(
                number: lastNumber, requests: calls.count, rows: rows,
                queued: QueueStatistics.queued(calls.lazy.map(\.queuedAt), until: now), began: now,
                expectedEnd: now + .nanoseconds(Int64(bounded: time, 0...1_000_000_000_000_000))))
        return .run(calls, number: lastNumber, nanoseconds: time)
    }

    /// The worker that held has waited long enough.
    ///
    /// - Returns: whether it was woken before that, so that a signal is there to be taken.
    package mutating func endHold() -> Bool {
        defer { isHolding = false }
        return !isHolding
    }

    /// Rows that one worker takes: all that wait where a call costs as much for one as for many, else its
    /// part of them where others are free as well.
    private func share(of limit: Int, _ cost: BatchCost) -> Int {
        let idle = workers - runs.count
        guard idle > 1, limit > 1 else { return limit }
        let waiting = queue.waiting.calls.reduce(0) { $0 + $1.request.tensors.rowCount }
        guard cost.eachNanoseconds * Double(waiting) > cost.fixedNanoseconds else { return limit }
        return max(1, min(limit, (waiting + idle - 1) / idle))
    }

    /// The first that wait, as many as have so many rows together, and are not too large; one at least.
    private func count(within limit: Int) -> Int {
        var (left, bytes, count) = (limit, Self.batchBytes, 0)
        for call in queue.waiting.calls {
            left -= call.request.tensors.rowCount
            bytes -= call.heldBytes
            guard count == 0 || left >= 0 && bytes >= 0 else { break }
            count += 1
        }
        return count
    }

    // MARK: What became of them

    /// - Parameter isAnswered: whether the worker answered, so that the time says what a call takes.
    /// - Returns: whether one more worker would help.
    package mutating func ended(_ number: Int, isAnswered: Bool, _ now: NIODeadline) -> Bool {
        guard let place = runs.firstIndex(where: { $0.number == number }) else { return false }
        let run = runs.remove(at: place)
        queue.reading.ran(requests: run.requests)
        if isAnswered {
            queue.reading.spent(requests: run.requests, queued: run.queued, ran: now - run.began)
            learned.record(
                size: run.rows, nanoseconds: Double((now - run.began).nanoseconds))
        }
        let isSplittable =
            run.requests > 1 && cost.eachNanoseconds * Double(run.rows) > cost.fixedNanoseconds
        guard !queue.waiting.calls.isEmpty || isSplittable else {
            backlogSince = nil
            return false
        }
        let since = backlogSince ?? now
        backlogSince = since
        return settings.workers == nil && now - since >= Self.scaleUpDelay
    }

    /// One more worker is being started, or could not be.
    package mutating func grew() { backlogSince = nil }
}
