import AloftDomain
import AloftInference
import AloftWire
import NIOCore
import Synchronization

/// Predictions that are read, asked and written beside the event loop because they are large.
extension ConnectionHandler {
    /// Does something on a thread for large bodies, and comes back to the event loop. Nothing more is read
    /// from the connection meanwhile, so answers keep their order; it may be closed when `then` is called.
    ///
    /// - Returns: why it is not done, where too many wait.
    func elsewhere<Value: Sendable>(
        isFurther: Bool = false, _ work: @escaping @Sendable () -> Value,
        then: @escaping @Sendable (ConnectionHandler, Value) -> Void
    ) -> InferenceError? {
        let eventLoop = loop.eventLoop
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        let refusal = loop.shared.large.submit(isFurther: isFurther) {
            let value = work()
            eventLoop.execute { then(bound.value, value) }
        }
        if refusal == nil { beginAnswering() }
        return refusal
    }

    /// Finds the segment of a large body, and comes back to the request.
    func findSegment(_ current: RequestInProgress, source: String, name: String) {
        let body = current.body ?? ByteBuffer()
        let length = current.jsonLength
        let refusal = elsewhere {
            body.withUnsafeReadableBytes { bytes in
                SegmentKeyReader.read(bytes, jsonLength: length, source: source, name: name)
            }
        } then: { handler, segment in
            handler.current?.found(segment: segment)
            if let current = handler.current, handler.context != nil { handler.route(current) }
        }
        if let refusal {
            loop.shared.unrouted.add(refusal, endpoint: current.endpointName)
            shed(refusal)
        }
    }

    func predictLarge(
        _ prediction: Prediction, _ current: RequestInProgress, isScoring: Bool
    ) {
        let work = LargeRequest(
            form: isScoring
                ? .scoring(contentType: current.contentType)
                : .tensors(jsonLength: current.jsonLength),
            body: current.body, revision: prediction.revision, request: prediction.request,
            reply: prediction.reply)
        let bound = NIOLoopBound(prediction, eventLoop: loop.eventLoop)
        let (timeout, priority) = (current.timeoutMilliseconds, current.priority)
        prediction.revision.outstanding.add(1, ordering: .relaxed)
        let refusal = elsewhere {
            work.run()
        } then: { handler, outcome in
            var prediction = bound.value
            prediction.revision.outstanding.subtract(1, ordering: .relaxed)
            handler.went(&prediction, outcome, timeoutMilliseconds: timeout, priority)
        }
        guard let refusal else { return }
        prediction.revision.outstanding.subtract(1, ordering: .relaxed)
        fail(prediction, refusal)
    }

    private func went(
        _ prediction: inout Prediction, _ outcome: LargeRequest.Outcome,
        timeoutMilliseconds: Int?, _ priority: RequestPriority
    ) {
        if prediction.request.binaryOutputs != 0 { prediction.form = .binary }
        switch outcome {
        case .failed(let error): fail(prediction, error)
        case .answered(let scoring, let reply):
            prediction.scoring = scoring
            send(prediction, reply)
        case .read(let scoring):
            prediction.scoring = scoring
            // Nobody waits for it any more.
            guard context != nil else { return loop.giveBack(prediction.request, prediction.reply) }
            let result = loop.run(
                prediction, timeoutMilliseconds: timeoutMilliseconds, priority: priority,
                waiter: self)
            if let result { ended(prediction, result) }
        }
    }

    /// Writes a large answer; false where it must be done here, because too many wait.
    func writeElsewhere(_ prediction: Prediction) {
        let work = LargeRequest(
            form: prediction.scoring == nil ? .tensors(jsonLength: nil) : .scoring(contentType: ""),
            body: nil, revision: prediction.revision, request: prediction.request,
            reply: prediction.reply)
        let scoring = prediction.scoring
        let bound = NIOLoopBound(prediction, eventLoop: loop.eventLoop)
        let refusal = elsewhere(isFurther: true) {
            LargeReply.write(work, scoring)
        } then: { handler, reply in
            handler.send(bound.value, reply)
        }
        if let refusal { fail(prediction, refusal) }
    }

    private func send(_ prediction: Prediction, _ reply: Result<LargeReply, InferenceError>) {
        switch reply {
        case .failure(let error): fail(prediction, error)
        case .success(let reply):
            let body = reply.bytes.readableBytes
            let output = withHead(
                reply, prediction.revision, id: prediction.id,
                mayBeBinary: prediction.scoring == nil && prediction.request.binaryOutputs != 0)
            let end = output.writerIndex
            let now = loop.answered(prediction, response: output, range: (end - body)..<end)
            finish(output, predictionID: prediction.id, now: now)
        }
    }
}
