import AloftDomain
import AloftInference
import AloftWire
import NIOCore

/// One prediction that is asked for in a protobuf message. Lives on one event loop.
final class MessageCall: PredictionWaiter {
    private let loop: LoopState
    private let finish: (Result<CallAnswer, CallRefusal>) -> Void
    /// How often it waited for its model to be loaded.
    private var wakes = 0

    private static let mostWakes = 3

    /// - Parameter finish: called once, on the loop.
    init(loop: LoopState, finish: @escaping (Result<CallAnswer, CallRefusal>) -> Void) {
        self.loop = loop
        self.finish = finish
    }

    func begin(_ message: ByteBuffer, _ facts: CallFacts) {
        message.withUnsafeReadableBytes { bytes in
            do {
                let (name, version) = try InferMessageReader.target(bytes)
                let asked = try loop.table.endpoint(name)
                let endpoint = version.isEmpty ? try segmented(asked, bytes, facts) : asked
                if endpoint.isAsleep, wakes < Self.mostWakes {
                    return wake(endpoint.served.name, message, facts)
                }
                guard
                    let revision = version.isEmpty
                        ? loop.choose(endpoint, stickyKey: facts.stickyKey)
                        : try loop.table.revision(endpoint, version: version)
                else { throw GatewayFailure.notReady(name: name, reason: endpoint.reason) }
                begin(bytes, message, facts, endpoint, revision)
            } catch let error as InferenceError {
                finish(.failure(CallRefusal(error)))
            } catch let error as GatewayFailure {
                finish(.failure(CallRefusal(error)))
            } catch {
                finish(.failure(CallRefusal(InferenceError.modelFailed(reason: "\(error)"))))
            }
        }
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
    private func wake(_ name: String, _ message: ByteBuffer, _ facts: CallFacts) {
        wakes += 1
        let wake = loop.shared.wake
        let eventLoop = loop.eventLoop
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        let limit =
            facts.timeoutMilliseconds.map { Duration.milliseconds($0) }
            ?? loop.shared.configuration.answerTimeout
        Task {
            await wake(name, limit)
            eventLoop.execute { bound.value.begin(message, facts) }
        }
    }

    private func begin(
        _ bytes: UnsafeRawBufferPointer, _ message: ByteBuffer, _ facts: CallFacts,
        _ endpoint: RoutedEndpoint, _ revision: LoadedRevision
    ) {
        var prediction = loop.prediction(
            endpoint, revision, form: .grpc, body: message, receivedAt: facts.receivedAt)
        prediction.trace = facts.trace
        do throws(InferenceError) {
            try InferMessageReader.read(
                bytes, signature: revision.signature, into: prediction.request)
        } catch {
            return fail(prediction, error)
        }
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
        let writer = prediction.revision.messages
        let plan = writer.plan(prediction.request, prediction.reply)
        var output = ByteBuffer()
        output.writeWithUnsafeMutableBytes(minimumWritableBytes: max(plan.byteCount, 1)) { memory in
            var bytes = ByteWriter(memory)
            writer.write(prediction.request, prediction.reply, plan, to: &bytes)
            return bytes.count
        }
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
