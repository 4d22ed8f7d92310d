package import NIOCore
package import NIOPosix
import Synchronization

/// One request on its way through a queue. `finish` is called once, on any thread.
package struct QueuedCall: Sendable {
    package let request: InferenceRequest
    package let reply: TensorSet
    package let deadline: NIODeadline
    package let deadlineMilliseconds: Int
    package let finish: @Sendable (Result<Void, InferenceError>) -> Void

    package init(
        request: InferenceRequest, reply: TensorSet, deadline: NIODeadline,
        deadlineMilliseconds: Int,
        finish: @escaping @Sendable (Result<Void, InferenceError>) -> Void
    ) {
        self.request = request
        self.reply = reply
        self.deadline = deadline
        self.deadlineMilliseconds = deadlineMilliseconds
        self.finish = finish
    }
}

/// Where the requests of a model that is too slow for the event loop wait for a thread.
///
/// Batching is by opportunity: a thread that comes free takes everything of the same form that waits
/// at that moment, up to `batchRows` rows, in one call of the model. So a lone request never waits,
/// and a crowd shares the model's cost.
package final class CallQueue: Sendable {
    private struct State {
        var waiting: [QueuedCall] = []
        var runners = 0
    }

    private let state = Mutex(State())
    private let runner: any ModelRunner
    private let threads: NIOThreadPool
    private let limit: Int
    private let batchRows: Int
    private let maximumRunners: Int

    /// - Parameters:
    ///   - limit: requests that may wait.
    ///   - batchRows: rows of one call at most; 1 never batches.
    ///   - maximumRunners: threads of the pool that work for this model at once.
    package init(
        runner: any ModelRunner, threads: NIOThreadPool, limit: Int, batchRows: Int,
        maximumRunners: Int
    ) {
        self.runner = runner
        self.threads = threads
        self.limit = limit
        self.batchRows = batchRows
        self.maximumRunners = maximumRunners
    }

    package func submit(_ call: QueuedCall) {
        enum Outcome { case refused(Int), queued, start }
        let outcome = state.withLock { state -> Outcome in
            guard state.waiting.count < limit else { return .refused(state.waiting.count) }
            state.waiting.append(call)
            guard state.runners < maximumRunners else { return .queued }
            state.runners += 1
            return .start
        }
        switch outcome {
        case .refused(let count): call.finish(.failure(.overloaded(queued: count)))
        case .queued: break
        case .start: threads.submit { _ in self.drain() }
        }
    }

    private func drain() {
        let batch = TensorBatch()
        while true {
            let calls = state.withLock { state -> [QueuedCall] in
                let count = TensorBatch.compatibleCount(
                    state.waiting, rows: batchRows, signature: runner.signature)
                guard count > 0 else {
                    state.runners -= 1
                    return []
                }
                let calls = Array(state.waiting.prefix(count))
                state.waiting.removeFirst(count)
                return calls
            }
            guard !calls.isEmpty else { return }
            run(calls, batch)
        }
    }

    private func run(_ calls: [QueuedCall], _ batch: TensorBatch) {
        let now = NIODeadline.now()
        let alive = calls.filter { call in
            guard call.deadline <= now else { return true }
            call.finish(
                .failure(.deadlineExceeded(milliseconds: call.deadlineMilliseconds)))
            return false
        }
        if alive.count > 1, batch.run(alive, runner) { return }
        for call in alive {
            do throws(InferenceError) {
                try runner.run(call.request, into: call.reply)
                call.finish(.success(()))
            } catch {
                call.finish(.failure(error))
            }
        }
    }
}
