import AloftDomain
package import AloftProcess
import Foundation
package import Logging
import NIOCore
import Synchronization

/// How to start a worker of one model.
package struct PythonWorkerCommand: Sendable {
    package var python: String
    package var modelFolder: String
    package var environment: [String: String]
    package var isolation: Isolation

    package init(
        python: String, modelFolder: String, environment: [String: String],
        isolation: Isolation = .none
    ) {
        self.python = python
        self.modelFolder = modelFolder
        self.environment = environment
        self.isolation = isolation
    }
}

/// Python processes that answer for one model. Each has a thread of ours and one request at a time,
/// so a crash, a hang or a leak costs the request that met it and no other.
///
/// A worker that ends is started again after a pause that doubles from a tenth of a second to ten. One
/// that misses a deadline is killed; so is one that holds more memory than it may.
package final class PythonWorkerPool: ModelRunner, RemoteModel, Sendable {
    package struct Limits: Sendable {
        package var workers = 1
        package var queued = 1024
        /// How long an answer may take, in nanoseconds.
        package var targetNanoseconds = 1e8
        package var memoryBytes = 4 << 30
        /// From the start of a process to its being ready.
        package var startTimeout = Duration.seconds(180)

        package init() {}
    }

    private struct State {
        var line: CallLine
        var running = 0
        /// What one answer takes, smoothed; 0 before the first.
        var nanosecondsEach = 0.0
        var isStopped = false
    }

    package let signature: ModelSignature
    private let command: PythonWorkerCommand
    private let limits: Limits
    private let log: String
    private let socketFolder: String
    private let logger: Logger
    private let state: Mutex<State>
    private let wake = TimedSemaphore()

    /// Starts the first worker, learns the model's signature from it, and then the others. Blocks
    /// until the first is ready.
    ///
    /// - Parameters:
    ///   - outputs: what the model gives, where the worker does not know.
    ///   - socketFolder: short, since a socket's path has at most 107 bytes; only ours may enter.
    /// - Throws: `InferenceError.unloadable` where the model cannot be loaded in Python,
    ///   `.workerFailed` where no process comes up.
    package init(
        command: PythonWorkerCommand, outputs: [TensorSignature], limits: Limits, log: String,
        socketFolder: String, logger: Logger
    ) throws(InferenceError) {
        let (first, ready) = try Self.startWorker(
            command, limits: limits, log: log, socket: socketFolder + "/0.sock",
            isStopped: { false })
        let known = try Self.signatures(ready.outputs)
        signature = ModelSignature(
            inputs: try Self.signatures(ready.inputs), outputs: known.isEmpty ? outputs : known)
        self.command = command
        self.limits = limits
        let policy = AdmissionPolicy(limit: limits.queued, target: limits.targetNanoseconds)
        state = Mutex(State(line: CallLine(policy: policy)))
        self.log = log
        self.socketFolder = socketFolder
        self.logger = logger
        let box = WorkerBox(first)
        // traps: a configured number, at least one
        for index in 0..<limits.workers {
            Thread.detachNewThread { [self] in
                supervise(index, first: index == 0 ? box.take() : nil)
            }
        }
    }

    /// Hands the first worker to its thread.
    // @unchecked: given by one thread and taken by another, once.
    private final class WorkerBox: @unchecked Sendable {
        private var worker: WorkerProcess?
        init(_ worker: WorkerProcess) { self.worker = worker }
        func take() -> WorkerProcess? {
            defer { worker = nil }
            return worker
        }
    }

    private static func signatures(
        _ tensors: WorkerFrames.Message.Tensors?
    ) throws(InferenceError) -> [TensorSignature] {
        guard case .signatures(let list) = tensors else { return [] }
        var result: [TensorSignature] = []
        for tensor in list {
            guard let datatype = Datatype(name: tensor.datatype) else {
                throw .unsupportedModel(
                    reason: "\"\(tensor.name)\" has the unknown datatype \(tensor.datatype)")
            }
            result.append(
                TensorSignature(name: tensor.name, datatype: datatype, shape: tensor.shape))
        }
        return result
    }

    private static func startWorker(
        _ command: PythonWorkerCommand, limits: Limits, log: String, socket: String,
        isStopped: () -> Bool
    ) throws(InferenceError) -> (WorkerProcess, WorkerFrames.Message) {
        unlink(socket)
        let worker = try WorkerProcess(command: command, socketPath: socket, log: log)
        try worker.connect()
        let deadline = NIODeadline.now() + TimeAmount(limits.startTimeout)
        let (message, _) = try worker.receive { () throws(InferenceError) in
            guard worker.isRunning() else {
                throw .workerFailed(reason: "the process ended as it loaded the model")
            }
            guard NIODeadline.now() < deadline, !isStopped() else {
                throw .workerFailed(reason: "it was not ready in time")
            }
        }
        guard message.kind == "ready" else {
            throw .unloadable(reason: message.error?.message ?? "the worker refused the model")
        }
        return (worker, message)
    }

    // MARK: Requests

    package func submit(_ call: QueuedCall) {
        let now = NIODeadline.now()
        let (joined, waiting) = state.withLock { state -> (CallLine.Joined, Int) in
            if state.isStopped {
                return (.refused(.workerFailed(reason: "it is being stopped")), 0)
            }
            let joined = state.line.join(call, pace(state), now: now)
            return (joined, state.line.waiting.counts.total)
        }
        switch joined {
        case .refused(let error): call.finish(.failure(error))
        case .waits(let displaced):
            CallLine.tellDisplaced(displaced, waiting: waiting)
            wake.signal()
        }
    }

    /// A worker that is busy is on average half done.
    private func pace(_ state: State) -> AdmissionPolicy.Pace {
        let each = state.nanosecondsEach
        let isBusy = state.running >= limits.workers
        return AdmissionPolicy.Pace(
            untilFree: isBusy ? max(1, each / 2 / Double(limits.workers)) : 0,
            runners: limits.workers, batchNanoseconds: each, loneNanoseconds: each)
    }

    package var reading: QueueReading {
        state.withLock { state in
            var reading = state.line.reading
            reading.waiting = state.line.waiting.counts.total
            return reading
        }
    }

    /// Waits for the answer; for warming up only.
    package func run(
        _ request: InferenceRequest, into reply: TensorSet
    ) throws(InferenceError) {
        let done = DispatchSemaphore(value: 0)
        let failure = FailureBox()
        submit(
            QueuedCall(
                request: request, reply: reply, deadline: .now() + .seconds(60),
                deadlineMilliseconds: 60_000
            ) { result in
                if case .failure(let error) = result { failure.error.withLock { $0 = error } }
                done.signal()
            })
        done.wait()
        if let error = failure.error.withLock({ $0 }) { throw error }
    }

    private final class FailureBox: Sendable {
        let error = Mutex<InferenceError?>(nil)
    }

    package func close() {
        for call in state.withLock({ $0.line.close() }) { call.finish(.failure(.shuttingDown)) }
    }

    /// Ends all processes; requests that wait are failed.
    package func stop() async {
        let calls = state.withLock { state in
            state.isStopped = true
            return state.line.close()
        }
        for call in calls { call.finish(.failure(.workerFailed(reason: "it is being stopped"))) }
        // traps: a configured number, at least one
        for _ in 0..<limits.workers { wake.signal() }
    }

    private var isStopped: Bool { state.withLock(\.isStopped) }

    // MARK: A worker's thread

    private func supervise(_ index: Int, first: WorkerProcess?) {
        var worker = first
        var pauseMilliseconds: UInt32 = 100
        var identifier: UInt64 = 0
        while !isStopped {
            guard let current = worker else {
                worker = restart(index, &pauseMilliseconds)
                continue
            }
            do throws(InferenceError) {
                if try serveOne(current, &identifier) { pauseMilliseconds = 100 }
            } catch {
                logger.warning(
                    "a Python worker is started again",
                    metadata: ["model": "\(command.modelFolder)", "reason": "\(error.message)"])
                current.end()
                worker = nil
            }
        }
        worker?.end()
    }

    private func restart(_ index: Int, _ pauseMilliseconds: inout UInt32) -> WorkerProcess? {
        usleep(pauseMilliseconds * 1000)
        pauseMilliseconds = min(pauseMilliseconds * 2, 10_000)
        failLate()
        do throws(InferenceError) {
            return try Self.startWorker(
                command, limits: limits, log: log, socket: socketFolder + "/\(index).sock",
                isStopped: { isStopped }
            ).0
        } catch {
            logger.error(
                "a Python worker does not start",
                metadata: ["model": "\(command.modelFolder)", "error": "\(error.message)"])
            return nil
        }
    }

    /// While no worker is there, requests still get their answer in time.
    private func failLate() {
        let now = NIODeadline.now()
        for call in state.withLock({ $0.line.takeLate(now) }) {
            call.finish(.failure(.deadlineExceeded(milliseconds: call.deadlineMilliseconds)))
        }
    }

    /// Waits a moment for a request and answers it. Throws where the worker must be replaced.
    ///
    /// - Returns: whether the worker answered one.
    private func serveOne(
        _ worker: WorkerProcess, _ identifier: inout UInt64
    ) throws(InferenceError) -> Bool {
        if state.withLock(\.line.waiting.calls.isEmpty) {
            _ = wake.wait(atMost: .milliseconds(500))
        }
        let next = state.withLock { state in
            let call = state.line.takeFirst()
            if call != nil { state.running += 1 }
            return call
        }
        guard let call = next else {
            try checkHealth(worker)
            return false
        }
        let begin = NIODeadline.now()
        defer { ended(since: begin) }
        guard call.deadline > .now() else {
            call.finish(.failure(.deadlineExceeded(milliseconds: call.deadlineMilliseconds)))
            return false
        }
        identifier += 1
        let result: Result<Void, InferenceError>
        do throws(InferenceError) {
            result = try answer(call, worker, identifier)
        } catch {
            call.finish(.failure(error))
            throw error
        }
        call.finish(result)
        return true
    }

    private func ended(since begin: NIODeadline) {
        let elapsed = Double((NIODeadline.now() - begin).nanoseconds)
        state.withLock { state in
            state.running -= 1
            state.line.reading.ran(requests: 1)
            let weight = state.nanosecondsEach == 0 ? 1 : 0.125
            state.nanosecondsEach += (elapsed - state.nanosecondsEach) * weight
        }
    }

    /// The result of a call that the worker answered; throws where the worker is of no more use.
    private func answer(
        _ call: QueuedCall, _ worker: WorkerProcess, _ identifier: UInt64
    ) throws(InferenceError) -> Result<Void, InferenceError> {
        let start: [UInt8]
        do throws(InferenceError) {
            start = try WorkerFrames.start(of: call.request, id: identifier, signature: signature)
        } catch {
            return .failure(error)
        }
        let check: WorkerProcess.Check = { () throws(InferenceError) in
            guard call.deadline > .now() else {
                throw .deadlineExceeded(milliseconds: call.deadlineMilliseconds)
            }
            try self.checkHealth(worker)
        }
        try worker.send(start, check: check)
        try WorkerFrames.eachPayload(of: call.request) { bytes throws(InferenceError) in
            try worker.send(bytes, check: check)
        }
        while true {
            let (message, payload) = try worker.receive(check: check)
            guard message.id == identifier else { continue }
            do throws(InferenceError) {
                try WorkerAnswers.read(
                    message, payload: payload, request: call.request, signature: signature,
                    into: call.reply)
                return .success(())
            } catch {
                return .failure(error)
            }
        }
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
