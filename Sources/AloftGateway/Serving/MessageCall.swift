import AloftDomain
import AloftInference
import AloftWire
import NIOCore
import Synchronization

/// One prediction that is asked for in a protobuf message. Lives on one event loop.
final class MessageCall: PredictionWaiter {
    private let loop: LoopState
    private let finish: (Result<CallAnswer, CallRefusal>) -> Void
    /// How often it waited for its model to be loaded.
    private var loads = 0

    private static let mostLoads = 3

    /// - Parameter finish: called once, on the loop.
    init(loop: LoopState, finish: @escaping (Result<CallAnswer, CallRefusal>) -> Void) {
        self.loop = loop
        self.finish = finish
    }

    func begin(_ message: ByteBuffer, _ facts: CallFacts) {
        guard message.readableBytes <= LargeBodies.thresholdBytes else {
            return beginLarge(message, facts)
        }
        message.withUnsafeReadableBytes { bytes in
            do {
                let (name, version) = try InferMessageReader.target(bytes)
                let asked = try loop.table.endpoint(name)
                let endpoint = version.isEmpty ? try segmented(asked, bytes, facts) : asked
                guard
                    let revision = try revision(of: endpoint, (name, version), message, facts)
                else { return }
                begin(bytes, message, facts, endpoint, revision, isChosen: version.isEmpty)
            } catch {
                refuse(error)
            }
        }
    }

    private func refuse(_ error: any Error) {
        switch error {
        case let error as InferenceError:
            loop.shared.unrouted.add(error, endpoint: nil)
            finish(.failure(CallRefusal(error)))
        case let error as GatewayFailure:
            loop.shared.unrouted.add(error)
            finish(.failure(CallRefusal(error)))
        default: finish(.failure(CallRefusal(InferenceError.modelFailed(reason: "\(error)"))))
        }
    }

    /// The revision that answers; `nil` where the call comes back when the model is loaded.
    private func revision(
        of endpoint: RoutedEndpoint, _ target: (name: String, version: String),
        _ message: ByteBuffer, _ facts: CallFacts
    ) throws(GatewayFailure) -> LoadedRevision? {
        if endpoint.isEvicted, loads < Self.mostLoads {
            loadOnDemand(endpoint.served.name, message, facts)
            return nil
        }
        guard
            let revision = target.version.isEmpty
                ? loop.choose(endpoint, stickyKey: facts.stickyKey)
                : try loop.table.revision(endpoint, version: target.version)
        else { throw .notReady(name: target.name, reason: endpoint.reason) }
        return revision
    }

    /// The endpoint that answers the segment that the call says it is of.
    private func segmented(
        _ endpoint: RoutedEndpoint, _ bytes: UnsafeRawBufferPointer, _ facts: CallFacts
    ) throws(InferenceError) -> RoutedEndpoint {
        guard let segments = endpoint.served.segments else { return endpoint }
        let segment: String? =
            switch segments.source {
            case "header": facts.header(segments.name)
            case "parameter": try InferMessageReader.parameter(bytes, name: segments.name)
            default: nil
            }
        return loop.table.endpoint(for: segment, of: endpoint)
    }

    /// Loads the model and comes back to the call, within its deadline.
    private func loadOnDemand(_ name: String, _ message: ByteBuffer, _ facts: CallFacts) {
        loads += 1
        let load = loop.shared.loadOnDemand
        let eventLoop = loop.eventLoop
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        let limit =
            facts.timeoutMilliseconds.map { Duration.milliseconds($0) }
            ?? loop.shared.configuration.answerTimeout
        Task {
            await load(name, limit)
            eventLoop.execute { bound.value.begin(message, facts) }
        }
    }

    private func begin(
        _ bytes: UnsafeRawBufferPointer, _ message: ByteBuffer, _ facts: CallFacts,
        _ endpoint: RoutedEndpoint, _ revision: LoadedRevision, isChosen: Bool
    ) {
        var prediction = loop.prediction(
            endpoint, revision, form: .grpc, body: message, receivedAt: facts.receivedAt)
        prediction.trace = facts.trace
        prediction.isChosen = isChosen
        do throws(InferenceError) {
            try revision.read(message: bytes, into: prediction.request)
        } catch {
            return fail(prediction, error)
        }
        run(prediction, facts)
    }

    private func run(_ prediction: Prediction, _ facts: CallFacts) {
        // Of a stream the call's own deadline is that of all its messages.
        let limit = min(
            facts.timeoutMilliseconds ?? .max, prediction.request.timeoutMilliseconds ?? .max)
        if let result = loop.run(
            prediction, timeoutMilliseconds: limit == .max ? nil : limit, waiter: self)
        {
            ended(prediction, result)
        }
    }

    func ended(_ prediction: Prediction, _ result: Result<Void, InferenceError>) {
        switch result {
        case .success: succeed(prediction)
        case .failure(let error): fail(prediction, error)
        }
    }

    private func succeed(_ prediction: Prediction) {
        guard prediction.reply.usedBytes <= LargeBodies.thresholdBytes else {
            return writeElsewhere(prediction)
        }
        let writer = prediction.revision.messages
        let plan = writer.plan(prediction.request, prediction.reply)
        var output = ByteBuffer()
        output.writeWithUnsafeMutableBytes(minimumWritableBytes: max(plan.byteCount, 1)) { memory in
            var bytes = ByteWriter(memory)
            writer.write(prediction.request, prediction.reply, plan, to: &bytes)
            return bytes.count
        }
        succeed(prediction, output)
    }

    private func succeed(_ prediction: Prediction, _ output: ByteBuffer) {
        loop.answered(
            prediction, response: output, range: output.readerIndex..<output.writerIndex)
        finish(
            .success(
                CallAnswer(
                    message: output, predictionID: prediction.id.text,
                    revision: prediction.revision.served.number,
                    traceParent: prediction.trace?.continued(by: prediction.id.spanID))))
    }

    private func fail(_ prediction: Prediction, _ error: InferenceError) {
        loop.refused(prediction, error)
        finish(.failure(CallRefusal(error, predictionID: prediction.id.text)))
    }
}

/// Messages that are read, asked and written beside the event loop because they are large.
extension MessageCall {
    /// Does something on a thread for large bodies, and comes back to the loop.
    private func elsewhere<Value: Sendable>(
        isFurther: Bool, _ work: @escaping @Sendable () -> Value,
        then: @escaping @Sendable (MessageCall, Value) -> Void
    ) {
        let eventLoop = loop.eventLoop
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        let refusal = loop.shared.large.submit(isFurther: isFurther) {
            let value = work()
            eventLoop.execute { then(bound.value, value) }
        }
        if let refusal { finish(.failure(CallRefusal(refusal))) }
    }

    private struct Target: Sendable {
        let name: String
        let version: String
        /// The segment that the message says, if it was looked for.
        var segment: String?
        var isSegmentKnown = false
    }

    private func beginLarge(_ message: ByteBuffer, _ facts: CallFacts) {
        elsewhere(isFurther: false) {
            message.withUnsafeReadableBytes { bytes in
                Result { () throws(InferenceError) in
                    let (name, version) = try InferMessageReader.target(bytes)
                    return Target(name: name, version: version)
                }
            }
        } then: { call, target in
            do {
                try call.beginLarge(message, facts, try target.get())
            } catch {
                call.refuse(error)
            }
        }
    }

    private func beginLarge(
        _ message: ByteBuffer, _ facts: CallFacts, _ target: Target
    ) throws(GatewayFailure) {
        var endpoint = try loop.table.endpoint(target.name)
        if target.version.isEmpty, let segments = endpoint.served.segments {
            if segments.source == "parameter", !target.isSegmentKnown {
                return findSegment(message, facts, target, name: segments.name)
            }
            let segment =
                segments.source == "header" ? facts.header(segments.name) : target.segment
            endpoint = loop.table.endpoint(for: segment, of: endpoint)
        }
        guard
            let revision = try revision(
                of: endpoint, (target.name, target.version), message, facts)
        else { return }
        readLarge(message, facts, endpoint, revision, isChosen: target.version.isEmpty)
    }

    private func findSegment(
        _ message: ByteBuffer, _ facts: CallFacts, _ target: Target, name: String
    ) {
        elsewhere(isFurther: true) {
            message.withUnsafeReadableBytes { bytes in
                Result { () throws(InferenceError) in
                    var found = target
                    found.segment = try InferMessageReader.parameter(bytes, name: name)
                    found.isSegmentKnown = true
                    return found
                }
            }
        } then: { call, target in
            do {
                try call.beginLarge(message, facts, try target.get())
            } catch {
                call.refuse(error)
            }
        }
    }

    private func readLarge(
        _ message: ByteBuffer, _ facts: CallFacts, _ endpoint: RoutedEndpoint,
        _ revision: LoadedRevision, isChosen: Bool
    ) {
        var prediction = loop.prediction(
            endpoint, revision, form: .grpc, body: message, receivedAt: facts.receivedAt)
        prediction.trace = facts.trace
        prediction.isChosen = isChosen
        let work = LargeRequest(
            form: .message, body: message, revision: revision, request: prediction.request,
            reply: prediction.reply)
        revision.outstanding.add(1, ordering: .relaxed)
        let bound = NIOLoopBound(prediction, eventLoop: loop.eventLoop)
        elsewhere(isFurther: true) {
            work.run()
        } then: { call, outcome in
            let prediction = bound.value
            prediction.revision.outstanding.subtract(1, ordering: .relaxed)
            switch outcome {
            case .failed(let error): call.fail(prediction, error)
            case .read: call.run(prediction, facts)
            case .answered(_, let reply): call.wrote(prediction, reply)
            }
        }
    }

    private func writeElsewhere(_ prediction: Prediction) {
        let work = LargeRequest(
            form: .message, body: nil, revision: prediction.revision, request: prediction.request,
            reply: prediction.reply)
        let bound = NIOLoopBound(prediction, eventLoop: loop.eventLoop)
        elsewhere(isFurther: true) {
            LargeReply.write(work, nil)
        } then: { call, reply in
            call.wrote(bound.value, reply)
        }
    }

    private func wrote(_ prediction: Prediction, _ reply: Result<LargeReply, InferenceError>) {
        switch reply {
        case .success(let reply): succeed(prediction, reply.bytes)
        case .failure(let error): fail(prediction, error)
        }
    }
}
