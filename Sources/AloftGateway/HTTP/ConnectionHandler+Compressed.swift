import AloftEdge
import AloftInference
import NIOCore

extension ConnectionHandler {
    /// Inflates the body of a request and goes on with it.
    func inflateBody(_ current: RequestInProgress) {
        let body = current.body ?? ByteBuffer()
        let limit = bodyLimitBytes
        guard body.readableBytes > CompressedBody.inlineBytes else {
            return inflated(CompressedBody.inflated(body, bodyLimitBytes: limit))
        }
        let refusal = elsewhere {
            CompressedBody.inflated(body, bodyLimitBytes: limit)
        } then: { handler, result in
            if handler.context != nil { handler.inflated(result) }
        }
        if let refusal { shed(refusal) }
    }

    private func inflated(_ result: Result<ByteBuffer, GatewayFailure>) {
        switch result {
        case .failure(let failure): answer(failure)
        case .success(let body):
            // What came is let go of when this is kept.
            guard loop.shared.bodies.take(body.readableBytes) else { return answer(.bodiesHeld) }
            countedBytes += body.readableBytes
            current?.inflated(body)
            if let current { route(current) }
        }
    }
}
