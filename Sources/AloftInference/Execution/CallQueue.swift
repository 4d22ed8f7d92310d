import Dispatch
package import NIOCore
package import NIOPosix
import Synchronization

/// One request on its way through a queue. `finish` is called once, on any thread.
package struct QueuedCall: Sendable {
    package let request: InferenceRequest
    package let reply: TensorSet
    package let priority: CallPriority
    package let deadline: NIODeadline
    package let deadlineMilliseconds: Int
    package let finish: @Sendable (Result<Void, InferenceError>) -> Void
    let queuedAt = NIODeadline.now()

    package init(
        request: InferenceRequest, reply: TensorSet, priority: CallPriority = .normal,
        deadline: NIODeadline, deadlineMilliseconds: Int,
        finish: @escaping @Sendable (Result<Void, InferenceError>) -> Void
    ) {
        self.request = request
        self.reply = reply
        self.priority = priority
        self.deadline = deadline
        self.deadlineMilliseconds = deadlineMilliseconds
        self.finish = finish
    }
}

/// Where the requests of a model that is too slow for the event loop wait for a thread.
///
/// Who may wait is `AdmissionPolicy`'s to say; what runs together, `BatchPolicy`'s. A thread that comes
/// free takes what waits of the same form in one call of the model. So a lone request never waits, and
/// a crowd shares the model's cost.
package final class CallQueue: Sendable {
    /// How a queue behaves.
    package struct Settings: Sendable {
        /// Requests that may wait.
        package var limit = 1024
        /// Rows of one call at most; 1 never batches.
        package var batchRows = 64
        /// Threads of the pool that work for this model at once.
        package var maximumRunners = 1
        /// How long an answer may take, in nanoseconds.
        package var targetNanoseconds = 1e8

        package init() {}
    }

    private struct State {
        var line = WaitingLine()
        var runners = 0
        /// Requests in the model.
        var running = 0
        /// A runner waits for more calls; whoever brings the line to `wanted` wakes it.
        var isHolding = false
        var wanted = 0
        /// Requests of the last call.
        var lastBatch = 0
        var cost = CallCost()
        /// A request's share of a call, smoothed.
        var nanosecondsEach = 0.0
        var reading = QueueReading()
        var isClosed = false
    }

    private let state = Mutex(State())
    private let arrived = DispatchSemaphore(value: 0)
    private let runner: any ModelRunner
    private let threads: NIOThreadPool
    private let admission: AdmissionPolicy
    private let batching: BatchPolicy
    private let maximumRunners: Int

    /// - Parameter loneNanoseconds: what one row took as the model was warmed up. A model that takes
    ///   more than a quarter of the target gets four times that as its target.
    package init(
        runner: any ModelRunner, threads: NIOThreadPool, settings: Settings,
        loneNanoseconds: Double
    ) {
        self.runner = runner
        self.threads = threads
        let target = max(settings.targetNanoseconds, 4 * loneNanoseconds)
        // A batch takes up to half of the target. Half of the rest is for waiting, since those of
        // higher priority who come later go first.
        admission = AdmissionPolicy(limit: settings.limit, longestWait: target / 4)
        batching = BatchPolicy(maximumRows: settings.batchRows, target: target)
        maximumRunners = settings.maximumRunners
        state.withLock { $0.nanosecondsEach = loneNanoseconds }
    }

    package var reading: QueueReading {
        state.withLock { state in
            var reading = state.reading
            reading.waiting = state.line.counts.total
            return reading
        }
    }

    private enum Outcome {
        case refused(InferenceError)
        case queued(displaced: QueuedCall?)
        case start(displaced: QueuedCall?)
        case wake(displaced: QueuedCall?)
    }

    package func submit(_ call: QueuedCall) {
        let outcome = state.withLock { admit(call, &$0) }
        switch outcome {
        case .refused(let error): return call.finish(.failure(error))
        case .queued(let displaced): refuse(displaced)
        case .start(let displaced):
            refuse(displaced)
            threads.submit { _ in self.drain() }
        case .wake(let displaced):
            refuse(displaced)
            arrived.signal()
        }
    }

    /// Why a request of this priority would be turned away now, and counts it as that; `nil` where it
    /// may be read and submitted. Under overload most are turned away, and what that costs is lost
    /// for answers, so it is asked before a body is parsed.
    ///
    /// - Parameter remaining: until its deadline, in nanoseconds.
    package func refusal(_ priority: CallPriority, remaining: Double) -> InferenceError? {
        state.withLock { state in
            guard !state.isClosed,
                case .refuse(let seconds) = admission.decide(
                    priority, load(state), remaining: remaining)
            else { return nil }
            state.reading.shed[priority] += 1
            return .overloaded(queued: state.line.counts.total, retryAfterSeconds: seconds)
        }
    }

    private func load(_ state: State) -> AdmissionPolicy.Load {
        AdmissionPolicy.Load(
            waiting: state.line.counts, running: state.running, runners: maximumRunners,
            nanosecondsEach: state.nanosecondsEach)
    }

    /// Turns away what waits and whatever comes. What is in the model is answered.
    package func close() {
        let waiting = state.withLock { state in
            state.isClosed = true
            return state.line.takeAll { _ in true }
        }
        for call in waiting { call.finish(.failure(.shuttingDown)) }
    }

    private func refuse(_ call: QueuedCall?) {
        call?.finish(.failure(.overloaded(queued: admission.limit, retryAfterSeconds: 1)))
    }

    private func admit(_ call: QueuedCall, _ state: inout State) -> Outcome {
        if state.isClosed { return .refused(.shuttingDown) }
        let load = load(state)
        let remaining = Double((call.deadline - call.queuedAt).nanoseconds)
        var displaced: QueuedCall?
        switch admission.decide(call.priority, load, remaining: remaining) {
        case .admit: break
        case .admitInPlaceOf(let priority):
            displaced = state.line.takeLast(priority)
            state.reading.shed[priority] += 1
        case .refuse(let seconds):
            state.reading.shed[call.priority] += 1
            return .refused(
                .overloaded(queued: state.line.counts.total, retryAfterSeconds: seconds))
        }
        state.line.append(call)
        if state.isHolding {
            guard state.line.counts.total >= state.wanted else {
                return .queued(displaced: displaced)
            }
            state.isHolding = false
            return .wake(displaced: displaced)
        }
        guard state.runners < maximumRunners else { return .queued(displaced: displaced) }
        state.runners += 1
        return .start(displaced: displaced)
    }

    // MARK: A thread of the pool

    private enum Step {
        case done
        case hold(nanoseconds: Double)
        case run([QueuedCall])
    }

    private func drain() {
        let batch = TensorBatch()
        var mayHold = true
        while true {
            switch state.withLock({ next(&$0, mayHold: mayHold) }) {
            case .done: return
            case .hold(let nanoseconds):
                let result = arrived.wait(timeout: .now() + .nanoseconds(Int(nanoseconds)))
                let wasWoken = state.withLock { state in
                    defer { state.isHolding = false }
                    return !state.isHolding
                }
                // The signal of one who came in the same moment must not end the next wait.
                if wasWoken, case .timedOut = result { arrived.wait() }
                mayHold = false
            case .run(let calls):
                run(calls, batch)
                mayHold = true
            }
        }
    }

    private func next(_ state: inout State, mayHold: Bool) -> Step {
        guard let first = state.line.calls.first else {
            state.runners -= 1
            return .done
        }
        if mayHold, !state.isHolding {
            let waited = Double((NIODeadline.now() - first.queuedAt).nanoseconds)
            let hold = batching.hold(
                waiting: state.line.counts.total, expected: state.lastBatch, oldestWait: waited,
                cost: state.cost)
            // Less than a thread's wake-up takes is not worth it.
            if hold > 50_000 {
                state.isHolding = true
                state.wanted = min(state.lastBatch, batching.rowLimit(state.cost))
                return .hold(nanoseconds: hold)
            }
        }
        let count = TensorBatch.compatibleCount(
            state.line.calls, rows: batching.rowLimit(state.cost), signature: runner.signature)
        let calls = state.line.takeFirst(count)
        state.running += calls.count
        return .run(calls)
    }

    private func run(_ calls: [QueuedCall], _ batch: TensorBatch) {
        let begin = NIODeadline.now()
        let alive = calls.filter { call in
            guard call.deadline <= begin else { return true }
            call.finish(
                .failure(.deadlineExceeded(milliseconds: call.deadlineMilliseconds)))
            return false
        }
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
        let elapsed = Double((NIODeadline.now() - begin).nanoseconds)
        let rows = groups == 1 ? alive.reduce(0) { $0 + $1.request.tensors.rowCount } : 0
        state.withLock { state in
            state.running -= calls.count
            state.reading.late += calls.count - alive.count
            guard groups > 0 else { return }
            state.lastBatch = alive.count
            for _ in 0..<groups { state.reading.ran(requests: alive.count / groups) }
            if rows > 0 { state.cost.record(rows: rows, nanoseconds: elapsed) }
            let share = elapsed / Double(alive.count)
            state.nanosecondsEach += (share - state.nanosecondsEach) / 8
        }
    }
}
