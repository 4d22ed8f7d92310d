import AloftInference
import NIOCore

extension ConnectionHandler {
    /// Load shedding: refuses a request that was not read, as cheaply as can be: at five times the
    /// capacity of a model that is four of five.
    ///
    /// A connection that was shed and comes again before it was told to is shed after a
    /// pause. Clients that try again at once would otherwise have the processor that the model needs.
    func shed(_ error: InferenceError) {
        let now = NIODeadline.now()
        loop.shed(now)
        let toldToWait = TimeAmount.seconds(Int64(clamping: error.retryAfterSeconds))
        guard let last = shedAt, now - last < toldToWait, isPatient else {
            return refuse(error, now)
        }
        heldRefusal = error
        beginAnswering()
        loop.hold(self, until: now + Self.pause)
    }

    private static let pause = TimeAmount.milliseconds(20)

    /// Whether the client waits long enough for its refusal to be held back.
    private var isPatient: Bool {
        guard let timeout = current?.timeoutMilliseconds else { return true }
        return Self.pause * 4 <= TimeAmount.milliseconds(Int64(clamping: timeout))
    }

    /// The pause is over.
    func refuseHeld(_ now: NIODeadline) {
        guard let error = heldRefusal else { return }
        heldRefusal = nil
        refuse(error, now)
    }

    private func refuse(_ error: InferenceError, _ now: NIODeadline) {
        shedAt = now
        // Read in place: a copy of the request would cost more than the reply.
        guard current?.isKeptAlive == true, current?.isHTTP10 == false, !loop.isDraining,
            case .overloaded(let queued, let seconds) = error
        else { return answer(error) }
        let reply = loop.refusals.reply(queued: queued, seconds: seconds) {
            let message = JSONText.quoted(error.message)
            let body =
                Array("{\"error\":".utf8) + message + Array(",\"code\":\"".utf8)
                + Array(error.code.utf8) + Array("\"}".utf8)
            let head =
                "HTTP/1.1 429 Too Many Requests\r\ncontent-type: application/json\r\n"
                + "retry-after: \(seconds)\r\ncontent-length: \(body.count)\r\n\r\n"
            return ByteBuffer(bytes: Array(head.utf8) + body)
        }
        finish(reply, status: error.httpStatus, now: now)
    }
}

/// Replies to those who are shed, each made once: they say how many wait, and that repeats.
struct RefusalReplies {
    private struct Key: Hashable {
        let queued: Int
        let seconds: Int
    }

    private var known: [Key: ByteBuffer] = [:]
    private static let most = 256

    mutating func reply(queued: Int, seconds: Int, make: () -> ByteBuffer) -> ByteBuffer {
        let key = Key(queued: queued, seconds: seconds)
        if let reply = known[key] { return reply }
        if known.count >= Self.most { known.removeAll(keepingCapacity: true) }
        let reply = make()
        known[key] = reply
        return reply
    }
}
