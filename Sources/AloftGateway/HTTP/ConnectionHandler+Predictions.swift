import AloftDomain
import AloftEdge
import AloftInference
import AloftWire
import NIOCore

extension ConnectionHandler {
    /// The request is complete: answers it, or begins to.
    func dispatch(_ request: RequestInProgress) {
        if let failure = strangersFailure(request) { return answer(failure) }
        guard let tokens = loop.shared.tokens, let token = request.token, !request.isPublic else {
            return route(request)
        }
        switch tokens.remembered(token) {
        case .known: return route(request)
        case let refused?: return answer(refused.failure ?? .tokenUnknown)
        case nil: break
        }
        verify(token, tokens) { handler, verdict in
            if let failure = verdict.failure { return handler.answer(failure) }
            if let current = handler.current { handler.route(current) }
        }
    }

    /// Why a caller is refused before anybody is asked.
    func strangersFailure(_ request: RequestInProgress) -> GatewayFailure? {
        if loop.shared.tokens != nil, request.token == nil, !request.isPublic {
            return .tokenMissing
        }
        return request.refusal
    }

    /// Looks at a caller's token before anything of the body is kept.
    ///
    /// - Parameter go: called at once where that is known; else the body waits, and `readOn` goes on.
    func verifyBeforeBody(_ request: RequestInProgress, go: (ConnectionHandler) -> Void) {
        guard let tokens = loop.shared.tokens, let token = request.token, !request.isPublic else {
            return go(self)
        }
        switch tokens.remembered(token) {
        case .known: return go(self)
        case let refused?: return refuseAndClose(refused.failure ?? .tokenUnknown)
        case nil: break
        }
        verify(token, tokens) { handler, verdict in
            if let failure = verdict.failure { return handler.refuseAndClose(failure) }
            handler.readOn()
        }
    }

    private func verify(
        _ token: String, _ tokens: TokenAuthenticator,
        then: @escaping @Sendable (ConnectionHandler, TokenAuthenticator.Verdict) -> Void
    ) {
        let place = RemoteAddress(context?.remoteAddress)
        later({ await tokens.verdict(token, from: place) }, then: then)
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

    func route(_ current: RequestInProgress) {
        if current.isCompressed { return inflateBody(current) }
        switch current.target {
        case .infer(let found):
            // While the body came the table may have changed.
            let isCurrent = current.tableNumber == loop.tableNumber
            guard let endpoint = isCurrent ? found : endpoint(found.served.name) else { return }
            predict(current, endpoint, nil, isScoring: false)
        case .inferVersion(let name, let version):
            guard let endpoint = endpoint(name) else { return }
            if endpoint.isEvicted { return loadOnDemand(endpoint) }
            guard let revision = endpoint.revision(version: version) else {
                let known = Set(endpoint.loaded.map(\.served.modelVersion)).sorted()
                return answer(.versionNotFound(name: name, version: version, known: known))
            }
            predict(current, endpoint, revision, isScoring: false)
        case .scoring(let name):
            guard let endpoint = endpoint(name) else { return }
            predict(current, endpoint, nil, isScoring: true)
        case .registered(let model, let version, let isScoring):
            askRegistered(current, model, version, isScoring: isScoring)
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
        _ current: RequestInProgress, _ asked: RoutedEndpoint, _ fixed: LoadedRevision?,
        isScoring: Bool
    ) {
        let isLarge = current.bodyBytes > LargeBodies.thresholdBytes
        if isLarge, fixed == nil, !current.isSegmentKnown, let segments = asked.served.segments,
            segments.source != "header"
        {
            return findSegment(current, source: segments.source, name: segments.name)
        }
        let endpoint = fixed == nil ? segmented(asked, current) : asked
        guard let revision = fixed ?? loop.choose(endpoint, stickyKey: current.stickyKey) else {
            if endpoint.isEvicted { return loadOnDemand(endpoint) }
            return answer(.notReady(name: endpoint.served.name, reason: endpoint.reason))
        }
        let (timeout, priority) = (current.timeoutMilliseconds, current.priority)
        if let refusal = loop.refusal(
            by: revision, timeoutMilliseconds: timeout, priority: priority,
            receivedAt: current.receivedAt)
        {
            revision.counters.shed(loop: loop.index)
            return shed(refusal)
        }
        let form: PredictionForm =
            isScoring ? .scoring : current.jsonLength == nil ? .json : .binary
        var prediction = loop.prediction(
            endpoint, revision, form: form, body: current.body, receivedAt: current.receivedAt)
        prediction.jsonLength = current.jsonLength
        prediction.isChosen = fixed == nil
        prediction.request.tensors.limitBytes = current.tensorLimitBytes
        prediction.trace = current.trace
        if isLarge { return predictLarge(prediction, current, isScoring: isScoring) }
        let fault = Self.withBytes(current.body) { bytes -> InferenceError? in
            do throws(InferenceError) {
                if isScoring {
                    prediction.scoring = try ScoringRequest(
                        bytes, of: current.body, contentType: current.contentType,
                        revision: revision, into: prediction.request)
                } else {
                    try revision.read(
                        bytes, jsonLength: current.jsonLength, into: prediction.request)
                    if prediction.request.binaryOutputs != 0 { prediction.form = .binary }
                }
                return nil
            } catch {
                return error
            }
        }
        if let fault { return fail(prediction, fault) }
        switch loop.run(
            prediction, timeoutMilliseconds: timeout, priority: priority, waiter: self)
        {
        case .success: succeed(prediction)
        case .failure(let error): fail(prediction, error)
        case nil: beginAnswering()
        }
    }

    /// The endpoint that answers the segment that the request says it is of.
    private func segmented(
        _ endpoint: RoutedEndpoint, _ current: RequestInProgress
    ) -> RoutedEndpoint {
        guard let segments = endpoint.served.segments else { return endpoint }
        guard segments.source != "header", !current.isSegmentKnown else {
            return loop.table.endpoint(for: current.segment, of: endpoint)
        }
        let segment = Self.withBytes(current.body) { bytes in
            SegmentKeyReader.read(
                bytes, jsonLength: current.jsonLength, source: segments.source, name: segments.name)
        }
        return loop.table.endpoint(for: segment, of: endpoint)
    }

    /// Loads an endpoint's model and comes back to the request, within its deadline.
    func loadOnDemand(_ endpoint: RoutedEndpoint) {
        guard let current, current.loads < Self.mostLoads else {
            return answer(
                .notReady(
                    name: endpoint.served.name,
                    reason: "its model is not in memory and was not loaded in time"))
        }
        self.current?.loads += 1
        let load = loop.shared.loadOnDemand
        let name = endpoint.served.name
        let limit =
            current.timeoutMilliseconds.map { Duration.milliseconds($0) }
            ?? loop.shared.configuration.answerTimeout
        later({ await load(name, limit) }) { handler, _ in
            if let current = handler.current { handler.route(current) }
        }
    }

    /// A model may be evicted again before the request that had it loaded comes to its turn.
    private static let mostLoads = 3

    private static func withBytes<Result>(
        _ body: ByteBuffer?, _ use: (UnsafeRawBufferPointer) -> Result
    ) -> Result {
        guard let body else { return use(UnsafeRawBufferPointer(start: nil, count: 0)) }
        return body.withUnsafeReadableBytes(use)
    }

    private func succeed(_ prediction: Prediction) {
        let revision = prediction.revision
        let request = prediction.request
        let reply = prediction.reply
        if reply.usedBytes > LargeBodies.thresholdBytes { return writeElsewhere(prediction) }
        if let fault = prediction.scoring?.fault(in: reply) { return fail(prediction, fault) }
        let bound = prediction.scoring?.bound(reply) ?? revision.replies.bound(request, reply)
        guard bound <= LargeBodies.answerLimitBytes else {
            return fail(prediction, .answerTooLarge(bound))
        }
        let written: (output: ByteBuffer, body: Range<Int>)
        if let scoring = prediction.scoring {
            written = writePrediction(
                revision, id: prediction.id, bound: bound, mayBeBinary: false
            ) { writer in
                scoring.write(reply, to: &writer)
                return nil
            }
        } else {
            written = writePrediction(
                revision, id: prediction.id, bound: bound,
                mayBeBinary: request.binaryOutputs != 0
            ) { revision.replies.write(request, reply, to: &$0) }
        }
        let now = loop.answered(prediction, response: written.output, range: written.body)
        finish(written.output, predictionID: prediction.id, now: now)
    }

    func fail(_ prediction: Prediction, _ error: InferenceError) {
        loop.refused(prediction, error)
        answerError(
            status: error.httpStatus, code: error.code, message: error.message,
            predictionID: prediction.id, retryAfterSeconds: error.retryAfterSeconds)
    }
}

extension ConnectionHandler: PredictionWaiter {
    func ended(_ prediction: Prediction, _ result: Result<Void, InferenceError>) {
        switch result {
        case .success: succeed(prediction)
        case .failure(let error): fail(prediction, error)
        }
    }
}

extension RequestInProgress {
    /// Liveness is no secret.
    fileprivate var isPublic: Bool {
        if case .page(let path) = target { path.begins(with: "/v2/health/") } else { false }
    }
}
