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
    /// How the reply is to be written; `nil` for the Open Inference Protocol.
    let scoring: ScoringRequest?
    let body: ByteBuffer?
    let receivedAt: NIODeadline
}

extension ConnectionHandler {
    /// The request is complete: answers it, or begins to.
    func dispatch() {
        guard let current else { return }
        if let tokens = loop.shared.tokens, !current.isPublic {
            guard let token = current.token else { return answer(.tokenMissing) }
            switch tokens.remembered(token) {
            case .known: break
            case .unknown, .unverifiable: return answer(.tokenUnknown)
            case nil: return verify(token, tokens)
            }
        }
        route(current)
    }

    private func verify(_ token: String, _ tokens: TokenGate) {
        later {
            await tokens.verdict(token)
        } then: { handler, verdict in
            switch verdict {
            case .known: if let current = handler.current { handler.route(current) }
            case .unknown: handler.answer(.tokenUnknown)
            case .unverifiable: handler.answer(.tokenUnverifiable)
            }
        }
    }

    /// Does something that waits, and comes back to the event loop with its result.
    func later<Value: Sendable>(
        _ work: @escaping @Sendable () async -> Value,
        then: @escaping @Sendable (ConnectionHandler, Value) -> Void
    ) {
        beginAnswering()
        let eventLoop = loop.eventLoop
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        Task {
            let value = await work()
            eventLoop.execute { then(bound.value, value) }
        }
    }

    private func route(_ current: RequestInProgress) {
        switch current.target {
        case .infer(let endpoint): predict(current, endpoint, nil, isScoring: false)
        case .inferVersion(let name, let version):
            guard let endpoint = endpoint(name) else { return }
            guard let revision = endpoint.revision(version: version) else {
                let known = Set(endpoint.loaded.map(\.served.modelVersion)).sorted()
                return answer(.versionNotFound(name: name, version: version, known: known))
            }
            predict(current, endpoint, revision, isScoring: false)
        case .scoring(let name):
            guard let endpoint = endpoint(name) else { return }
            predict(current, endpoint, nil, isScoring: true)
        case .page(let path): page(path)
        case .administration(let path): administration(path)
        case .refused(let failure): answer(failure)
        }
    }

    private func endpoint(_ name: String) -> RoutedEndpoint? {
        if let endpoint = loop.table.endpoints[name] { return endpoint }
        answer(.endpointNotFound(name: name, known: loop.table.endpoints.keys.sorted()))
        return nil
    }

    private func predict(
        _ current: RequestInProgress, _ endpoint: RoutedEndpoint, _ fixed: LoadedRevision?,
        isScoring: Bool
    ) {
        guard let revision = fixed ?? choose(endpoint, current.stickyKey) else {
            return answer(.notReady(name: endpoint.served.name, reason: endpoint.reason))
        }
        let request = loop.takeRequest()
        let body = current.body
        var scoring: ScoringRequest?
        let fault = Self.withBytes(body) { bytes -> InferenceError? in
            do throws(InferenceError) {
                if isScoring {
                    scoring = try ScoringRequest(
                        bytes, contentType: current.contentType, revision: revision,
                        into: request)
                } else {
                    try InferRequestReader.read(
                        bytes, jsonLength: current.jsonLength, signature: revision.signature,
                        into: request)
                }
                return nil
            } catch {
                return error
            }
        }
        let prediction = Prediction(
            id: loop.nextPredictionID(), endpoint: endpoint, revision: revision, request: request,
            reply: loop.takeReply(), scoring: scoring, body: body, receivedAt: current.receivedAt)
        if let fault { return fail(prediction, fault) }
        run(prediction, timeoutMilliseconds: current.timeoutMilliseconds)
    }

    private func choose(_ endpoint: RoutedEndpoint, _ stickyKey: String?) -> LoadedRevision? {
        if endpoint.routes.count <= 1 { return endpoint.routes.first?.revision }
        return endpoint.revision(at: stickyKey.map(StickyKey.point) ?? loop.point())
    }

    private static func withBytes<Result>(
        _ body: ByteBuffer?, _ use: (UnsafeRawBufferPointer) -> Result
    ) -> Result {
        guard let body else { return use(UnsafeRawBufferPointer(start: nil, count: 0)) }
        return body.withUnsafeReadableBytes(use)
    }

    private func run(_ prediction: Prediction, timeoutMilliseconds: Int?) {
        switch prediction.revision.execution {
        case .inline:
            do throws(InferenceError) {
                try prediction.revision.runner.run(prediction.request, into: prediction.reply)
            } catch {
                return fail(prediction, error)
            }
            succeed(prediction)
        case .queued(let queue):
            queue.submit(call(prediction, timeoutMilliseconds))
        case .remote(let model):
            model.submit(call(prediction, timeoutMilliseconds))
        }
    }

    private func call(_ prediction: Prediction, _ timeoutMilliseconds: Int?) -> QueuedCall {
        beginAnswering()
        prediction.revision.outstanding.add(1, ordering: .relaxed)
        let milliseconds =
            timeoutMilliseconds
            ?? Int(loop.shared.configuration.answerTimeout / .milliseconds(1))
        let eventLoop = loop.eventLoop
        let bound = NIOLoopBound((self, prediction), eventLoop: eventLoop)
        return QueuedCall(
            request: prediction.request, reply: prediction.reply,
            deadline: prediction.receivedAt + .milliseconds(Int64(milliseconds)),
            deadlineMilliseconds: milliseconds
        ) { result in
            eventLoop.execute {
                let (handler, prediction) = bound.value
                prediction.revision.outstanding.subtract(1, ordering: .relaxed)
                switch result {
                case .success: handler.succeed(prediction)
                case .failure(let error): handler.fail(prediction, error)
                }
            }
        }
    }

    private func succeed(_ prediction: Prediction) {
        let revision = prediction.revision
        let request = prediction.request
        let reply = prediction.reply
        let written: (output: ByteBuffer, body: Range<Int>)
        if let scoring = prediction.scoring {
            written = writePrediction(
                revision, id: prediction.id, bound: scoring.bound(reply), mayBeBinary: false
            ) { writer in
                scoring.write(reply, to: &writer)
                return nil
            }
        } else {
            written = writePrediction(
                revision, id: prediction.id, bound: revision.replies.bound(request, reply),
                mayBeBinary: request.binaryOutputs != 0
            ) { revision.replies.write(request, reply, to: &$0) }
        }
        let elapsed = NIODeadline.now() - prediction.receivedAt
        let microseconds = Double(elapsed.nanoseconds) / 1000
        revision.counters.answered(loop: loop.index, microseconds: microseconds)
        let sampling = prediction.endpoint.served.logSampling
        if sampling >= 1 || (sampling > 0 && loop.point() < sampling) {
            loop.log.append(
                prediction, status: 200, microseconds: microseconds,
                response: written.output, range: written.body)
        }
        loop.giveBack(request, reply)
        finish(written.output)
    }

    private func fail(_ prediction: Prediction, _ error: InferenceError) {
        let counters = prediction.revision.counters
        if error.isCallersFault {
            counters.refused(loop: loop.index)
        } else {
            counters.failed(loop: loop.index)
        }
        let elapsed = NIODeadline.now() - prediction.receivedAt
        let response = ByteBuffer(string: error.message)
        loop.log.append(
            prediction, status: error.httpStatus, microseconds: Double(elapsed.nanoseconds) / 1000,
            response: response, range: response.readerIndex..<response.writerIndex)
        loop.giveBack(prediction.request, prediction.reply)
        answerError(
            status: error.httpStatus, code: error.code, message: error.message,
            predictionID: prediction.id)
    }
}

extension RequestInProgress {
    /// Liveness is no secret.
    fileprivate var isPublic: Bool {
        if case .page(let path) = target { path.hasPrefix("/v2/health/") } else { false }
    }
}

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
