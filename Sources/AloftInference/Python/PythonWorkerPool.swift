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

/// Python processes that answer for one model. Each has a thread of ours and one call of the model at a
/// time, which requests of several callers share where the model allows it; so a crash or a leak costs
/// the requests that met it and no other.
///
/// A worker that ends is started again after a pause that doubles from a tenth of a second to ten. One
/// that does not answer long after its requests' deadlines is killed; so is one that holds more memory
/// than it may. Where nobody said how many there are, there is one, and one more each time that a backlog
/// has waited for half a second, within cores and memory; those that have nothing to do for a minute end.
package final class PythonWorkerPool: ModelRunner, RemoteModel, Sendable {
    package struct Limits: Sendable {
        /// Requests that may wait.
        package var queued = 100_000
        /// What waits may take in memory.
        package var waitingBytes = 256 << 20
        /// Of one worker.
        package var memoryBytes = 4 << 30
        /// Workers that are started without being asked for.
        package var mostWorkers = 1
        /// What those may take together.
        package var crewBytes = Int.max
        /// From the start of a process to its being ready.
        package var startTimeout = Duration.seconds(180)
        /// As long may a worker have nothing to do that was started without being asked for.
        package var idleTime = Duration.seconds(60)

        package init() {}
    }

    struct State {
        var batcher: WorkerBatcher
        /// The places of workers that have a thread.
        var places: Set<Int> = []
        /// Threads that wait for a request.
        var sleeping = 0
        /// One that was not asked for is being started.
        var isGrowing = false
        var isStopped = false
    }

    package let signature: ModelSignature
    let command: PythonWorkerCommand
    let limits: Limits
    let log: String
    let logger: Logger
    let state: Mutex<State>
    let wake = TimedSemaphore()
    /// Wakes the worker that holds what waits.
    let arrived = TimedSemaphore()
    private let socketFolder: String

    /// Starts the first worker, learns the model's signature from it, and then the others. Blocks
    /// until the first is ready.
    ///
    /// - Parameters:
    ///   - outputs: what the model gives, where the worker does not know.
    ///   - socketFolder: short, since a socket's path has at most 107 bytes; only ours may enter.
    /// - Throws: `InferenceError.unloadable` where the model cannot be loaded in Python,
    ///   `.workerFailed` where no process comes up.
    package init(
        command: PythonWorkerCommand, outputs: [TensorSignature], limits: Limits,
        settings: WorkerBatcher.Settings, log: String, socketFolder: String, logger: Logger
    ) throws(InferenceError) {
        let (first, ready) = try Self.startWorker(
            command, limits: limits, log: log, socket: socketFolder + "/0.sock",
            isStopped: { false })
        let known = try Self.signatures(ready.outputs)
        signature = ModelSignature(
            inputs: try Self.signatures(ready.inputs), outputs: known.isEmpty ? outputs : known)
        self.command = command
        self.limits = limits
        self.log = log
        self.socketFolder = socketFolder
        self.logger = logger
        state = Mutex(
            State(
                batcher: WorkerBatcher(
                    settings: settings, limit: limits.queued, limitBytes: limits.waitingBytes)))
        let box = WorkerBox(first)
        state.withLock { Self.take(place: 0, &$0) }
        Thread.detachNewThread { [self] in supervise(0, first: box.take()) }
        fill()
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

    /// Starts a worker at this place.
    func startWorker(_ place: Int) throws(InferenceError) -> WorkerProcess {
        try Self.startWorker(
            command, limits: limits, log: log, socket: socketFolder + "/\(place).sock",
            isStopped: { isStopped }
        ).0
    }

    // MARK: How many there are

    /// Other settings from now on.
    package func adjust(_ settings: WorkerBatcher.Settings) {
        let isNew = state.withLock { state in
            guard state.batcher.settings != settings, !state.isStopped else { return false }
            state.batcher.adjust(settings)
            return true
        }
        if isNew { fill() }
    }

    /// Starts workers that somebody asked for.
    private func fill() {
        let fresh = state.withLock { state -> [Int] in
            guard let wanted = state.batcher.settings.workers, !state.isStopped else { return [] }
            // traps: a configured number, at least one
            let fresh = (0..<wanted).filter { !state.places.contains($0) }
            for place in fresh { Self.take(place: place, &state) }
            return fresh
        }
        for place in fresh { Thread.detachNewThread { [self] in supervise(place, first: nil) } }
    }

    private static func take(place: Int, _ state: inout State) {
        state.places.insert(place)
        state.batcher.workers = state.places.count
    }

    /// A worker's thread ends. What was asked for meanwhile is looked at anew: its place was still taken as
    /// more workers were asked for again. And it may have been woken for a request.
    func leave(_ place: Int) {
        let wakesAnother = state.withLock { state in
            state.places.remove(place)
            state.batcher.workers = state.places.count
            guard state.sleeping > 0, !state.batcher.queue.waiting.calls.isEmpty else {
                return false
            }
            state.sleeping -= 1
            return true
        }
        if wakesAnother { wake.signal() }
        fill()
    }

    /// Starts one more worker if there are cores and memory for it.
    ///
    /// - Parameter bytes: what one holds.
    func grow(bytes: Int) {
        let fresh = state.withLock { state -> Int? in
            state.batcher.grew()
            let count = state.places.count
            let (crew, overflow) = bytes.multipliedReportingOverflow(by: count + 1)
            guard !state.isGrowing, !state.isStopped, count < limits.mostWorkers, !overflow,
                crew <= limits.crewBytes
            else { return nil }
            // traps: as many places as workers, and one more
            guard let fresh = (0...count).first(where: { !state.places.contains($0) }) else {
                return nil
            }
            state.isGrowing = true
            Self.take(place: fresh, &state)
            return fresh
        }
        guard let fresh else { return }
        logger.info(
            "one more Python worker is started",
            metadata: ["model": "\(command.modelFolder)", "workers": "\(fresh + 1)"])
        Thread.detachNewThread { [self] in supervise(fresh, first: nil) }
    }

    // MARK: Requests

    package func submit(_ call: QueuedRequest) {
        let now = NIODeadline.now()
        let (joined, waiting, wakes) = state.withLock {
            state -> (RequestQueue.Joined, Int, Wakes) in
            if state.isStopped {
                return (.refused(.workerFailed(reason: "it is being stopped")), 0, .nobody)
            }
            let (joined, wakesHolder) = state.batcher.join(call, now: now)
            let waiting = state.batcher.queue.waiting.counts.total
            if wakesHolder { return (joined, waiting, .holder) }
            guard state.sleeping > 0, !state.batcher.isHolding else {
                return (joined, waiting, .nobody)
            }
            state.sleeping -= 1
            return (joined, waiting, .sleeper)
        }
        switch wakes {
        case .nobody: break
        case .holder: arrived.signal()
        case .sleeper: wake.signal()
        }
        switch joined {
        case .refused(let error): call.finish(.failure(error))
        case .waits(let displaced): RequestQueue.tellDisplaced(displaced, waiting: waiting)
        }
    }

    private enum Wakes { case nobody, holder, sleeper }

    package var reading: QueueStatistics {
        state.withLock { state in
            var reading = state.batcher.queue.reading
            reading.waiting = state.batcher.queue.waiting.counts.total
            return reading
        }
    }

    /// How many have a place at this moment.
    package var workerCount: Int { state.withLock(\.places.count) }

    /// Waits for the answer; for warming up only.
    package func run(
        _ request: InferenceRequest, into reply: TensorSet
    ) throws(InferenceError) {
        let done = DispatchSemaphore(value: 0)
        let failure = FailureBox()
        submit(
            QueuedRequest(
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
        for call in state.withLock({ $0.batcher.queue.close() }) {
            call.finish(.failure(.shuttingDown))
        }
    }

    /// Ends all processes; requests that wait are failed.
    package func stop() async {
        let (calls, count) = state.withLock { state in
            state.isStopped = true
            return (state.batcher.queue.close(), state.places.count)
        }
        for call in calls { call.finish(.failure(.workerFailed(reason: "it is being stopped"))) }
        // traps: a count
        for _ in 0..<count { wake.signal() }
    }

    var isStopped: Bool { state.withLock(\.isStopped) }
}
