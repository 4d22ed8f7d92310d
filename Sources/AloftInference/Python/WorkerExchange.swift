import AloftDomain
import NIOCore

/// Requests on their way through one call of a worker, and their answers. Used by one thread.
///
/// Who names a deadline hears of it in time; the worker goes on for the others, and for itself: a model
/// that needs longer than one caller waits is not started again for that. It is given up when it takes
/// much longer than usual and nobody waits for it.
final class WorkerExchange {
    private let worker: WorkerProcess
    private let signature: ModelSignature
    private let began = NIODeadline.now()
    private let mayTake: TimeAmount
    /// By their number in this exchange; `nil` when they are finished.
    private var calls: [QueuedRequest?] = []
    /// Which of them the worker has answered.
    private var isAnswered: [Bool] = []
    private var frames: [[UInt8]] = []
    private var left = 0
    /// The earliest deadline of those that are left.
    private var nextDeadline = NIODeadline.distantFuture
    private(set) var hasAnswered = false

    /// A worker that takes longer is given up once nobody waits for it: eight times as long as usual.
    private static let hangFactor = 8.0
    private static let leastHangNanoseconds = 1e9
    private static let mostHangNanoseconds = 6e10
    /// Smaller messages are sent together.
    private static let smallBytes = 64 << 10

    init(worker: WorkerProcess, signature: ModelSignature, expectedNanoseconds: Double) {
        self.worker = worker
        self.signature = signature
        mayTake = .nanoseconds(
            Int64(
                bounded: max(
                    Self.leastHangNanoseconds,
                    min(Self.mostHangNanoseconds, Self.hangFactor * expectedNanoseconds)),
                0...60_000_000_000))
    }

    /// Takes a call along, or finishes it where it cannot be sent.
    func add(_ call: QueuedRequest) {
        do throws(InferenceError) {
            frames.append(
                try WorkerFrames.start(
                    of: call.request, id: worker.nextIdentifier(UInt64(clamping: calls.count)),
                    signature: signature))
            calls.append(call)
            isAnswered.append(false)
            left += 1
            nextDeadline = min(nextDeadline, call.deadline)
        } catch {
            call.finish(.failure(error))
        }
    }

    /// Sends all and finishes each as its answer comes. Throws where the worker is of no more use;
    /// `fail` then finishes the rest.
    func run(check: WorkerProcess.Check) throws(InferenceError) {
        guard left > 0 else { return }
        let first = worker.lastIdentifier
        defer { worker.lastIdentifier = first &+ UInt64(clamping: calls.count) }
        try send { () throws(InferenceError) in
            // While the worker reads them no request may go back to its owner.
            try self.checkHang()
            try check()
        }
        while left > 0 {
            let (message, payload) = try worker.receive { () throws(InferenceError) in
                self.finishLate()
                try self.checkHang()
                try check()
            }
            guard let identifier = message.id, identifier > first,
                let place = Int(exactly: identifier - first - 1), calls.indices.contains(place),
                !isAnswered[place]
            else {
                // One that says much that nobody asked keeps no caller over its time.
                finishLate()
                try checkHang()
                continue
            }
            hasAnswered = true
            isAnswered[place] = true
            left -= 1
            if let call = calls[place] {
                calls[place] = nil
                call.finish(answer(message, payload, call))
            }
        }
    }

    /// Finishes those that are not.
    func fail(_ error: InferenceError) {
        let now = NIODeadline.now()
        for case let call? in calls {
            call.finish(
                .failure(
                    call.deadline > now
                        ? error : .deadlineExceeded(milliseconds: call.deadlineMilliseconds)))
        }
        calls = []
    }

    private func send(check: WorkerProcess.Check) throws(InferenceError) {
        var buffer = calls.count > 1 ? WorkerFrames.batch(of: calls.count) : []
        for (call, frame) in zip(calls, frames) {
            guard let request = call?.request else { continue }
            buffer += frame
            try WorkerFrames.eachPayload(of: request) { bytes throws(InferenceError) in
                guard bytes.count > Self.smallBytes else {
                    return buffer.append(contentsOf: bytes)
                }
                try worker.send(buffer, check: check)
                buffer.removeAll(keepingCapacity: true)
                try worker.send(bytes, check: check)
            }
        }
        try worker.send(buffer, check: check)
        frames = []
    }

    /// Who does not wait any longer is told.
    private func finishLate() {
        let now = NIODeadline.now()
        guard now >= nextDeadline else { return worker.waitAtMost(nextDeadline - now) }
        nextDeadline = .distantFuture
        for (place, call) in calls.enumerated() {
            guard let call else { continue }
            if call.deadline > now {
                nextDeadline = min(nextDeadline, call.deadline)
            } else {
                calls[place] = nil
                call.finish(
                    .failure(.deadlineExceeded(milliseconds: call.deadlineMilliseconds)))
            }
        }
        worker.waitAtMost(nextDeadline - now)
    }

    private func checkHang() throws(InferenceError) {
        let now = NIODeadline.now()
        guard now - began > mayTake else { return }
        guard calls.contains(where: { call in call.map { $0.deadline > now } ?? false }) else {
            throw .workerFailed(
                reason: "it did not answer, and nobody waits for it any longer")
        }
    }

    private func answer(
        _ message: WorkerFrames.Message, _ payload: [UInt8], _ call: QueuedRequest
    ) -> Result<Void, InferenceError> {
        Result { () throws(InferenceError) in
            try WorkerAnswers.read(
                message, payload: payload, request: call.request, signature: signature,
                into: call.reply)
        }
    }
}
