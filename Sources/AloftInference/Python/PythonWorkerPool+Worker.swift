import AloftDomain
import Foundation
import Logging
import NIOCore
import Synchronization

/// A worker's thread.
extension PythonWorkerPool {
    func supervise(_ place: Int, first: WorkerProcess?) {
        var worker = first
        var pauseMilliseconds: UInt32 = 100
        var mustPause = first != nil
        var lastCall = NIODeadline.now()
        while !isStopped {
            guard let current = worker else {
                if mustPause { pause(&pauseMilliseconds) }
                worker = restart(place)
                mustPause = true
                lastCall = .now()
                if worker == nil, isTooMany(place, idle: .hours(1)) { break }
                continue
            }
            do throws(InferenceError) {
                if try serveOne(current) {
                    pauseMilliseconds = 100
                    lastCall = .now()
                }
            } catch {
                logger.warning(
                    "a Python worker is started again",
                    metadata: ["model": "\(command.modelFolder)", "reason": "\(error.message)"])
                current.end()
                worker = nil
            }
            if isTooMany(place, idle: .now() - lastCall) { break }
        }
        worker?.end()
        leave(place)
    }

    private func pause(_ milliseconds: inout UInt32) {
        usleep(milliseconds * 1000)
        milliseconds = min(milliseconds * 2, 10_000)
        failLate()
    }

    private func restart(_ place: Int) -> WorkerProcess? {
        defer { state.withLock { if $0.isGrowing { $0.isGrowing = false } } }
        do throws(InferenceError) {
            return try startWorker(place)
        } catch {
            logger.error(
                "a Python worker does not start",
                metadata: ["model": "\(command.modelFolder)", "error": "\(error.message)"])
            failLate()
            return nil
        }
    }

    /// Whether a worker ends because nobody asks for it any more.
    private func isTooMany(_ place: Int, idle: TimeAmount) -> Bool {
        guard place > 0 else { return false }
        let asked = state.withLock(\.batcher.settings.workers)
        return asked.map { place >= $0 } ?? (idle > TimeAmount(limits.idleTime))
    }

    /// Requests get their answer in time, whatever the workers do.
    private func failLate() {
        let now = NIODeadline.now()
        for (call, error) in state.withLock({ $0.batcher.takeLate(now) }) {
            call.finish(.failure(error))
        }
    }

    // MARK: One call of the model

    /// Waits a moment for requests and answers them. Throws where the worker must be replaced.
    ///
    /// - Returns: whether it asked the worker.
    private func serveOne(_ worker: WorkerProcess) throws(InferenceError) -> Bool {
        var mayHold = true
        while true {
            failLate()
            let (step, wakesAnother) = state.withLock { next(&$0, mayHold: mayHold) }
            if wakesAnother { wake.signal() }
            switch step {
            case .idle:
                if sleep() { try checkHealth(worker) }
                return false
            case .hold(let nanoseconds):
                let isSignalled = arrived.wait(
                    atMost: .nanoseconds(Int(bounded: nanoseconds, 0...1_000_000_000_000)))
                let wasWoken = state.withLock { $0.batcher.endHold() }
                // The signal of one who came in the same moment must not end the next wait.
                if wasWoken, !isSignalled { arrived.wait() }
                mayHold = false
            case .run(let calls, let number, let expected):
                try serve(calls, number, expectedNanoseconds: expected, worker)
                return true
            }
        }
    }

    private func next(
        _ state: inout State, mayHold: Bool
    ) -> (WorkerBatcher.Step, wakesAnother: Bool) {
        let step = state.batcher.next(.now(), mayHold: mayHold)
        switch step {
        case .idle:
            if !state.isStopped { state.sleeping += 1 }
            return (step, false)
        case .hold: return (step, false)
        case .run:
            guard state.sleeping > 0, !state.batcher.queue.waiting.calls.isEmpty else {
                return (step, false)
            }
            state.sleeping -= 1
            return (step, true)
        }
    }

    /// Until somebody wakes this thread, or for half a second.
    ///
    /// - Returns: whether nobody did.
    private func sleep() -> Bool {
        if wake.wait(atMost: .milliseconds(500)) { return false }
        let isWoken = state.withLock { state in
            // Whoever woke it has counted it.
            guard state.sleeping > 0, !state.isStopped else { return true }
            state.sleeping -= 1
            return false
        }
        // The signal of one who came in the same moment must not end another's wait for nothing.
        if isWoken { _ = wake.wait(atMost: .milliseconds(500)) }
        return !isWoken
    }

    private func serve(
        _ calls: [QueuedRequest], _ number: Int, expectedNanoseconds: Double,
        _ worker: WorkerProcess
    ) throws(InferenceError) {
        let exchange = WorkerExchange(
            worker: worker, signature: signature, expectedNanoseconds: expectedNanoseconds)
        for call in calls { exchange.add(call) }
        let result = Result { () throws(InferenceError) in
            try exchange.run { () throws(InferenceError) in
                guard worker.takeCheck() else { return }
                try self.checkHealth(worker)
                self.failLate()
            }
        }
        if case .failure(let error) = result { exchange.fail(error) }
        let isShort = state.withLock {
            $0.batcher.ended(
                number, isAnswered: exchange.hasAnswered, NIODeadline.now())
        }
        try result.get()
        if isShort { grow(bytes: worker.residentBytes) }
    }

    private func checkHealth(_ worker: WorkerProcess) throws(InferenceError) {
        guard worker.isRunning() else { throw .workerFailed(reason: "the process ended") }
        WorkerLog.trim(log)
        let resident = worker.residentBytes
        guard resident <= limits.memoryBytes else {
            throw .workerFailed(
                reason: "it held \(resident >> 20) MiB of memory; the limit is "
                    + "\(limits.memoryBytes >> 20) MiB")
        }
    }
}
