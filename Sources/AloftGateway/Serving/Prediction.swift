import AloftDomain
import AloftInference
import AloftWire
import NIOCore
import Synchronization

/// One prediction on its way, from the parsed request to the reply.
struct Prediction {
    let id: PredictionID
    let endpoint: RoutedEndpoint
    let revision: LoadedRevision
    let request: InferenceRequest
    let reply: TensorSet
    /// How request and reply are written down, here and in the prediction log.
    var form: PredictionForm
    /// How the reply of MLflow scoring is to be written; `nil` for the Open Inference Protocol.
    var scoring: ScoringRequest?
    let body: ByteBuffer?
    let receivedAt: NIODeadline
    /// Where the request's JSON ends and binary tensors begin, as the caller said.
    var jsonLength: Int?
    /// Whether chance or a sticky key chose the revision, not the caller.
    var isChosen = true
    var trace: TraceParent?
}

/// Whoever is told of a prediction that did not end at once.
protocol PredictionWaiter: AnyObject {
    /// Called once, on the event loop that began the prediction.
    func ended(_ prediction: Prediction, _ result: Result<Void, InferenceError>)
}

/// What every protocol does for a prediction, between its own reading and writing.
extension LoopState {
    /// The revision that answers: by the sticky key where there is one, else by chance. `nil` while
    /// none is ready.
    func choose(_ endpoint: RoutedEndpoint, stickyKey: String?) -> LoadedRevision? {
        if endpoint.routes.count <= 1 { return endpoint.routes.first?.revision }
        return endpoint.revision(at: stickyKey.map(StickyKey.point) ?? point())
    }

    /// A new prediction with its name and the memory for its tensors, which `answered` and `refused`
    /// take back.
    func prediction(
        _ endpoint: RoutedEndpoint, _ revision: LoadedRevision, form: PredictionForm,
        body: ByteBuffer?, receivedAt: NIODeadline
    ) -> Prediction {
        revision.lastUsed.store(receivedAt.uptimeNanoseconds, ordering: .relaxed)
        let request = takeRequest()
        request.tensors.missingText = revision.missingText
        request.tensors.limitBytes = .max
        return Prediction(
            id: nextPredictionID(), endpoint: endpoint, revision: revision, request: request,
            reply: takeReply(), form: form, body: body, receivedAt: receivedAt)
    }

    /// Runs the model.
    ///
    /// - Parameters:
    ///   - priority: who goes first, and who is shed first.
    ///   - timeoutMilliseconds: how long the caller waits, from when the request came; `nil` leaves it
    ///     to the request's own parameter, then to the configuration.
    ///   - waiter: is told how it ended if that takes longer than this call.
    /// - Returns: how it ended, or `nil` where `waiter` is told later.
    func run(
        _ prediction: Prediction, timeoutMilliseconds: Int?, priority: RequestPriority = .normal,
        waiter: some PredictionWaiter
    ) -> Result<Void, InferenceError>? {
        if let fault = prediction.revision.rules?.fault(in: prediction.request.tensors) {
            return .failure(fault)
        }
        switch prediction.revision.execution {
        case .inline:
            let counters = prediction.revision.counters
            // Some stand for all: to read the clock twice is a percent of a small prediction.
            let begin = counters.isTimed(loop: index) ? NIODeadline.now() : nil
            do throws(InferenceError) {
                try prediction.revision.runner.run(prediction.request, into: prediction.reply)
                if let begin {
                    counters.read(loop: index, begin - prediction.receivedAt)
                    counters.ran(loop: index, NIODeadline.now() - begin)
                }
                return .success(())
            } catch {
                return .failure(error)
            }
        case .batched(let batcher):
            batcher.submit(call(prediction, timeoutMilliseconds, priority, waiter))
        case .remote(let model):
            model.submit(call(prediction, timeoutMilliseconds, priority, waiter))
        }
        return nil
    }

    /// Why a request would be shed if it were read now; `nil` where it may go on.
    func refusal(
        by revision: LoadedRevision, timeoutMilliseconds: Int?, priority: RequestPriority,
        receivedAt: NIODeadline
    ) -> InferenceError? {
        guard case .batched(let batcher) = revision.execution else { return nil }
        let remaining = timeoutMilliseconds.map {
            let deadline = receivedAt + .milliseconds(Int64(clamping: $0))
            return Double((deadline - NIODeadline.now()).nanoseconds)
        }
        return batcher.refusal(priority, remainingNanoseconds: remaining)
    }

    /// How long a caller waits who says this.
    private func milliseconds(_ asked: Int?) -> Int {
        // traps: a configured time, of seconds
        asked ?? Int(shared.configuration.answerTimeout / .milliseconds(1))
    }

    private func call(
        _ prediction: Prediction, _ timeoutMilliseconds: Int?, _ priority: RequestPriority,
        _ waiter: any PredictionWaiter
    ) -> QueuedRequest {
        prediction.revision.outstanding.add(1, ordering: .relaxed)
        let named = timeoutMilliseconds ?? prediction.request.timeoutMilliseconds
        let milliseconds = milliseconds(named)
        let eventLoop = eventLoop
        let bound = NIOLoopBound((waiter, prediction), eventLoop: eventLoop)
        let queuedAt = NIODeadline.now()
        let (index, read) = (index, queuedAt - prediction.receivedAt)
        return QueuedRequest(
            request: prediction.request, reply: prediction.reply, priority: priority,
            deadline: prediction.receivedAt + .milliseconds(Int64(clamping: milliseconds)),
            deadlineMilliseconds: milliseconds, namesDeadline: named != nil, queuedAt: queuedAt
        ) { result in
            eventLoop.execute {
                let (waiter, prediction) = bound.value
                prediction.revision.outstanding.subtract(1, ordering: .relaxed)
                if case .success = result {
                    prediction.revision.counters.read(loop: index, read)
                }
                waiter.ended(prediction, result)
            }
        }
    }

    /// Counts and logs a prediction whose reply is written, and takes back its memory.
    ///
    /// - Parameter range: where the reply lies in `response`.
    /// - Returns: the time.
    @discardableResult
    func answered(
        _ prediction: Prediction, response: ByteBuffer, range: Range<Int>
    ) -> NIODeadline {
        let now = NIODeadline.now()
        let elapsed = now - prediction.receivedAt
        let microseconds = Double(elapsed.nanoseconds) / 1000
        prediction.revision.counters.answered(loop: index, elapsed)
        let sampling = prediction.endpoint.served.logSampling
        if sampling >= 1 || (sampling > 0 && point() < sampling) {
            log.append(
                prediction, status: 200, microseconds: microseconds, response: response,
                range: range)
        }
        if let score = AnswerNumbers.score(prediction.reply) {
            prediction.revision.counters.scored(loop: index, score)
        }
        copyToShadow(prediction)
        giveBack(prediction.request, prediction.reply)
        return now
    }

    /// If the endpoint has a shadow and chance picks this request. The copy goes on its way after the
    /// answer.
    private func copyToShadow(_ prediction: Prediction) {
        guard let shadow = prediction.endpoint.shadow, shadow.revision !== prediction.revision,
            shadow.share >= 1 || point() < shadow.share, let body = prediction.body
        else { return }
        let copy = ShadowCopy(
            endpoint: prediction.endpoint.served.name, revision: shadow.revision, body: body,
            form: prediction.form, jsonLength: prediction.jsonLength,
            purpose: .comparison(AnswerNumbers(prediction.reply)))
        let shadows = shared.shadows
        eventLoop.execute { shadows.submit(copy) }
    }

    /// Counts and logs a prediction that came to nothing, and takes back its memory.
    func refused(_ prediction: Prediction, _ error: InferenceError) {
        // What was shed is counted apart, and says nothing about the revision.
        switch error {
        case .overloaded:
            prediction.revision.counters.shed(loop: index)
            shed(.now())
            return giveBack(prediction.request, prediction.reply)
        case .shuttingDown: return giveBack(prediction.request, prediction.reply)
        default: break
        }
        let counters = prediction.revision.counters
        let elapsed = NIODeadline.now() - prediction.receivedAt
        if error.isCallersFault {
            counters.refused(loop: index)
            contest(prediction, error)
        } else {
            counters.failed(loop: index, elapsed)
        }
        let response = ByteBuffer(string: error.message)
        log.append(
            prediction, status: error.httpStatus, microseconds: Double(elapsed.nanoseconds) / 1000,
            response: response, range: response.readerIndex..<response.writerIndex)
        giveBack(prediction.request, prediction.reply)
    }
}

/// Session affinity: one key is always answered by one revision.
enum StickyKey {
    /// A point of 0..<1 that depends on the key alone, the same in every gateway (FNV-1a with a final
    /// mix; Fowler, Noll and Vo).
    static func point(_ key: String) -> Double {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in key.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        hash = (hash ^ (hash >> 33)) &* 0xFF51_AFD7_ED55_8CCD
        hash ^= hash >> 33
        return Double(hash >> 11) * 0x1p-53
    }
}
