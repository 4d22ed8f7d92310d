import AloftDomain
package import NIOCore
package import NIOPosix
import Synchronization

/// One request on its way through a queue. `finish` is called once, on any thread.
package struct QueuedRequest: Sendable {
    package let request: InferenceRequest
    package let reply: TensorSet
    package let priority: RequestPriority
    package let deadline: NIODeadline
    package let deadlineMilliseconds: Int
    /// Whether the caller named the deadline. Who names none is not waited for as long.
    package let namesDeadline: Bool
    /// About the bytes that it holds as it waits: its tensors, the body that they came from, the rest.
    package let heldBytes: Int
    package let finish: @Sendable (Result<Void, InferenceError>) -> Void
    package let queuedAt: NIODeadline

    package init(
        request: InferenceRequest, reply: TensorSet, priority: RequestPriority = .normal,
        deadline: NIODeadline, deadlineMilliseconds: Int, namesDeadline: Bool = true,
        queuedAt: NIODeadline = .now(),
        finish: @escaping @Sendable (Result<Void, InferenceError>) -> Void
    ) {
        self.request = request
        self.reply = reply
        self.priority = priority
        self.deadline = deadline
        self.deadlineMilliseconds = deadlineMilliseconds
        self.namesDeadline = namesDeadline
        heldBytes =
            4096 + 3 * request.tensors.usedBytes + request.parameters.count
            + (request.document?.body.readableBytes ?? 0)
        self.queuedAt = queuedAt
        self.finish = finish
    }

    /// Nanoseconds until the deadline that the caller named; `nil` where none.
    func remainingNanoseconds(_ now: NIODeadline) -> Double? {
        namesDeadline ? Double((deadline - now).nanoseconds) : nil
    }

    /// Why it does not wait any longer; `nil` where it does.
    ///
    /// - Parameter defaultTimeoutNanoseconds: how long one waits who names no deadline; `nil` for any time.
    func lateError(
        _ now: NIODeadline, waiting: Int, defaultTimeoutNanoseconds: @autoclosure () -> Double?
    ) -> InferenceError? {
        guard deadline > now else {
            return .deadlineExceeded(milliseconds: deadlineMilliseconds)
        }
        let waited = Double((now - queuedAt).nanoseconds)
        guard !namesDeadline, waited > AdmissionPolicy.defaultTimeoutNanoseconds,
            let defaultTimeoutNanoseconds = defaultTimeoutNanoseconds(),
            waited > defaultTimeoutNanoseconds
        else { return nil }
        return .overloaded(queued: waiting, retryAfterSeconds: 1)
    }
}

/// Dynamic batching for a model that is too slow for the event loop: where its requests wait for a thread,
/// and share a call. What Triton calls a dynamic batcher.
///
/// Who may wait is `AdmissionPolicy`'s to say; what runs together, `BatchPolicy`'s. A thread that comes
/// free takes the first that waits, and with it whatever else waits of the same form, in one call of the
/// model. So a lone request never waits, and a burst shares the model's cost.
package final class DynamicBatcher: Sendable {
    /// How a queue behaves.
    package struct Settings: Sendable {
        /// Requests that may wait.
        package var limit = 1024
        /// Rows of one call at most; 1 never batches.
        package var batchRows = 64
        /// Threads of the pool that work for this model at once.
        package var maximumRunners = 1
        /// How long an answer may take, in nanoseconds; `nil` where nobody said.
        package var targetNanoseconds: Double? = 1e8
        /// What waits may take in memory.
        package var waitingBytes = 256 << 20

        package init() {}
    }

    private struct State {
        var queue: RequestQueue
        var batching: BatchPolicy
        var latency: LatencyModel
        var runners = 0
        /// A runner waits for more calls; whoever brings the queue to `wanted` wakes it.
        var isHolding = false
        var wanted = 0
        /// A runner's share of all who waited or were in the model as the last batch was taken.
        var expected = 0
    }

    private let state: Mutex<State>
    private let arrived = TimedSemaphore()
    private let runner: any ModelRunner
    private let threads: NIOThreadPool
    private let maximumRunners: Int
    private let loneNanoseconds: Double

    /// - Parameters:
    ///   - loneNanoseconds: what one row took as the model was warmed up. A model that takes more than
    ///     a quarter of the target gets four times that as its target.
    ///   - loneElements: how many elements that row has.
    package init(
        runner: any ModelRunner, threads: NIOThreadPool, settings: Settings,
        loneNanoseconds: Double, loneElements: Int
    ) {
        self.runner = runner
        self.threads = threads
        self.loneNanoseconds = loneNanoseconds
        let target = settings.targetNanoseconds.map { max($0, 4 * loneNanoseconds) }
        let batching = BatchPolicy(
            maximumRows: settings.batchRows,
            targetNanoseconds: BatchPolicy.targetNanoseconds(target, loneNanoseconds))
        maximumRunners = settings.maximumRunners
        state = Mutex(
            State(
                queue: RequestQueue(
                    policy: AdmissionPolicy(limit: settings.limit, targetNanoseconds: target),
                    limitBytes: settings.waitingBytes),
                batching: batching,
                latency: LatencyModel(
                    policy: batching, runners: settings.maximumRunners,
                    loneNanoseconds: loneNanoseconds, loneElements: loneElements)))
    }

    /// Another target, or none, from now on.
    package func adjust(targetNanoseconds: Double?) {
        let target = targetNanoseconds.map { max($0, 4 * loneNanoseconds) }
        state.withLock { state in
            state.queue.policy.targetNanoseconds = target
            state.batching.targetNanoseconds = BatchPolicy.targetNanoseconds(
                target, loneNanoseconds)
            state.latency.policy = state.batching
        }
    }

    package var reading: QueueStatistics {
        state.withLock { state in
            var reading = state.queue.reading
            reading.waiting = state.queue.waiting.counts.total
            return reading
        }
    }

    private enum Outcome {
        case refused(InferenceError)
        case queued
        case start
        case wake
    }

    package func submit(_ call: QueuedRequest) {
        let (outcome, displaced, waiting) = state.withLock { admit(call, &$0) }
        RequestQueue.tellDisplaced(displaced, waiting: waiting)
        switch outcome {
        case .refused(let error): call.finish(.failure(error))
        case .queued: break
        case .start: threads.submit { _ in self.drain() }
        case .wake: arrived.signal()
        }
    }

    /// Why a request of this priority would be shed now, as `RequestQueue.refusal`.
    ///
    /// - Parameter remainingNanoseconds: until its deadline; `nil` where it names none.
    package func refusal(_ priority: RequestPriority, remainingNanoseconds: Double?)
        -> InferenceError?
    {
        let now = NIODeadline.now()
        return state.withLock { state in
            state.queue.refusal(
                priority, estimate(state, now), remainingNanoseconds: remainingNanoseconds, now: now
            )
        }
    }

    private func estimate(_ state: State, _ now: NIODeadline) -> AdmissionPolicy.LatencyEstimate {
        state.latency.estimate(now, isOverloaded: state.queue.isOverloaded(now))
    }

    /// Refuses what waits and whatever comes. What is in the model is answered.
    package func close() {
        for call in state.withLock({ $0.queue.close() }) { call.finish(.failure(.shuttingDown)) }
    }

    private func admit(
        _ call: QueuedRequest, _ state: inout State
    ) -> (Outcome, displaced: [QueuedRequest], waiting: Int) {
        let now = call.queuedAt
        var displaced: [QueuedRequest] = []
        switch state.queue.join(call, estimate(state, now), now: now) {
        case .refused(let error): return (.refused(error), [], 0)
        case .waits(let other): displaced = other
        }
        let waiting = state.queue.waiting.counts.total
        if state.isHolding {
            guard waiting >= state.wanted else { return (.queued, displaced, waiting) }
            state.isHolding = false
            return (.wake, displaced, waiting)
        }
        guard state.runners < maximumRunners else { return (.queued, displaced, waiting) }
        state.runners += 1
        return (.start, displaced, waiting)
    }

    // MARK: A thread of the pool

    private enum Step {
        case done
        case hold(nanoseconds: Double)
        /// With these; another thread is to take what is left.
        case run([QueuedRequest], number: Int, more: Bool)
    }

    /// So long a thread works for one model before others who wait for a thread have their turn.
    private static let turn = TimeAmount.milliseconds(20)

    private func drain() {
        let batch = TensorBatch()
        let end = NIODeadline.now() + Self.turn
        var mayHold = true
        while true {
            switch state.withLock({ next(&$0, mayHold: mayHold) }) {
            case .done: return
            case .hold(let nanoseconds):
                let isSignalled = arrived.wait(
                    atMost: .nanoseconds(Int(bounded: nanoseconds, 0...1_000_000_000_000)))
                let wasWoken = state.withLock { state in
                    defer { state.isHolding = false }
                    return !state.isHolding
                }
                // The signal of one who came in the same moment must not end the next wait.
                if wasWoken, !isSignalled { arrived.wait() }
                mayHold = false
            case .run(let calls, let number, let more):
                if more { threads.submit { _ in self.drain() } }
                run(calls, number: number, batch)
                mayHold = true
                if NIODeadline.now() > end { return threads.submit { _ in self.drain() } }
            }
        }
    }

    private func next(_ state: inout State, mayHold: Bool) -> Step {
        let waiting = state.queue.waiting.counts.total
        // Who holds takes what has come meanwhile.
        guard let first = state.queue.waiting.calls.first, !state.isHolding else {
            state.runners -= 1
            return .done
        }
        let now = NIODeadline.now()
        let tensors = first.request.tensors
        let cost = state.latency.cost(ofRowsLike: tensors)
        let limit = state.latency.rowLimit(cost, isOverloaded: state.queue.isOverloaded(now))
        if mayHold {
            let hold = state.batching.holdNanoseconds(
                waiting: waiting, expected: state.expected,
                oldestWaitNanoseconds: Double((now - first.queuedAt).nanoseconds), cost: cost)
            // Less than a thread's wake-up takes is not worth it.
            if hold > 50_000 {
                state.isHolding = true
                state.wanted = min(state.expected, limit)
                return .hold(nanoseconds: hold)
            }
        }
        state.expected = (waiting + state.latency.running + maximumRunners - 1) / maximumRunners
        let calls = state.queue.take(
            at: TensorBatch.alike(
                state.queue.waiting.calls, rows: limit, signature: runner.signature))
        let number = state.latency.begin(calls, ofWaiting: waiting, limit, cost, now)
        let more = calls.count < waiting && state.runners < maximumRunners
        if more { state.runners += 1 }
        return .run(calls, number: number, more: more)
    }

    private func run(_ calls: [QueuedRequest], number: Int, _ batch: TensorBatch) {
        let begin = NIODeadline.now()
        let alive = calls.filter { call in
            let late = call.lateError(
                begin, waiting: calls.count,
                defaultTimeoutNanoseconds: state.withLock {
                    $0.queue.defaultTimeoutNanoseconds(estimate($0, begin))
                })
            guard let late else { return true }
            call.finish(.failure(late))
            return false
        }
        // Their memory is their clients' again when they are finished.
        let size = alive.reduce(0) { $0 + $1.request.tensors.elementCount }
        let processor = ThreadClock.nanoseconds()
        var groups = alive.isEmpty ? 0 : 1
        if alive.count <= 1 || !batch.run(alive, runner) {
            groups = alive.count
            for call in alive {
                do throws(InferenceError) {
                    try runner.run(call.request, into: call.reply)
                    call.finish(.success(()))
                } catch {
                    call.finish(.failure(error))
                }
            }
        }
        let ran = ThreadClock.nanoseconds() - processor
        let end = NIODeadline.now()
        let passed = Double((end - begin).nanoseconds)
        state.withLock { state in
            state.latency.answered(
                alive.lazy.map(\.queuedAt), end, isOverloaded: state.queue.isOverloaded(end))
            state.latency.ended(
                number, size: groups == 1 ? size : 0, elapsedNanoseconds: passed,
                cpuNanoseconds: ran)
            state.queue.reading.late += calls.count - alive.count
            state.queue.reading.spent(
                requests: alive.count,
                queued: QueueStatistics.queued(alive.lazy.map(\.queuedAt), until: begin),
                ran: end - begin)
            // traps: a count of calls
            for _ in 0..<groups { state.queue.reading.ran(requests: alive.count / groups) }
        }
    }
}
