import AloftDomain
import AloftInference
import NIOCore
import NIOHTTP1

/// One client's connection: reads requests, answers them in order, and ends clients that are slow,
/// idle or break the protocol.
///
/// Requests come in as parsed by the HTTP library. Replies go out as bytes, written in one piece with
/// their head, since there is nothing to parse in what we write ourselves.
final class ConnectionHandler: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = Never
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum Phase {
        case idle
        case reading
        /// The answer is being made elsewhere; parts of later requests wait in `pending`.
        case answering
        /// The last answer is written; whatever else comes is dropped.
        case closing
    }

    let loop: LoopState
    let bodyLimitBytes: Int
    private(set) var context: ChannelHandlerContext?
    var current: RequestInProgress?
    private var phase = Phase.idle
    private var pending: [HTTPServerRequestPart] = []
    private var isReadHeldBack = false
    private var hasUnflushed = false
    private var socket: ReplySocket?
    /// What is to be sent with the next `flush`.
    private var unsent: ByteBuffer?
    /// Pieces that the library holds; while there are any, nothing may overtake them.
    private var queued = 0
    /// When a request of this connection was turned away last.
    var turnedAwayAt: NIODeadline?
    /// What a client is told that came again too soon, when its pause is over.
    var heldRefusal: InferenceError?
    private var sawPart = false
    private var isInputClosed = false
    private var isOutputClosed = false
    /// When the connection last did something: opened, or ended an answer.
    private var quietSince = NIODeadline.now()
    /// When the first bytes of an unfinished head came.
    private var headSince: NIODeadline?

    init(loop: LoopState) {
        self.loop = loop
        bodyLimitBytes = loop.shared.configuration.bodyLimitBytes
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        socket = ReplySocket(context.channel)
        loop.opened(self)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        loop.closed(self)
    }

    // MARK: Reading

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        sawPart = true
        let part = unwrapInboundIn(data)
        switch phase {
        case .idle, .reading: take(part, context)
        case .answering: pending.append(part)
        case .closing: break
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if phase == .idle {
            headSince = sawPart ? nil : headSince ?? .now()
        } else {
            headSince = nil
        }
        sawPart = false
    }

    /// Answers a request that was read whole and is in the plainest form. False where it must go by way
    /// of the HTTP library: it asks for something else, or waits its turn.
    ///
    /// - Parameter bytes: begin with the request.
    func take(_ plain: PlainRequest, _ bytes: ByteBuffer) -> Bool {
        guard phase == .idle, pending.isEmpty else { return false }
        let found = bytes.withUnsafeReadableBytes {
            loop.inferPath(UnsafeRawBufferPointer(rebasing: $0[plain.target]))
        }
        guard let found, !found.needsHeaders else { return false }
        sawPart = true
        phase = .reading
        var request = RequestInProgress(
            plain: found, tableNumber: loop.tableNumber, bodyBytes: plain.bodyBytes)
        if plain.bodyBytes > 0 {
            request.body = bytes.getSlice(
                at: bytes.readerIndex + plain.headBytes, length: plain.bodyBytes)
        }
        if plain.hasFurtherHeaders {
            bytes.withUnsafeReadableBytes { head in
                plain.forEachHeader(head) { request.take(name: $0, value: $1) }
            }
        }
        current = request
        dispatch(request)
        return true
    }

    /// While an answer is outstanding nothing more is read, so a client cannot pile up requests. One that
    /// is about to be turned away hardly sends more, and to stop reading would cost more than the reply.
    func read(context: ChannelHandlerContext) {
        if phase == .answering, heldRefusal == nil || !pending.isEmpty {
            isReadHeldBack = true
        } else {
            context.read()
        }
    }

    private func take(_ part: HTTPServerRequestPart, _ context: ChannelHandlerContext) {
        switch part {
        case .head(let head): begin(head, context)
        case .body(let bytes): append(bytes)
        case .end: if phase == .reading, let current { dispatch(current) }
        }
    }

    private func begin(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        phase = .reading
        let request = RequestInProgress(
            head: head, table: loop.table, tableNumber: loop.tableNumber, now: .now())
        current = request
        if let declared = request.declaredBytes, declared > bodyLimitBytes {
            return refuseAndClose(.bodyTooLarge(limitBytes: bodyLimitBytes))
        }
        if request.expectsContinue {
            flush()
            queue(ByteBuffer(string: "HTTP/1.1 100 Continue\r\n\r\n"), context)
            context.flush()
        }
    }

    private func append(_ bytes: ByteBuffer) {
        guard phase == .reading, current != nil else { return }
        current?.bodyBytes += bytes.readableBytes
        guard let total = current?.bodyBytes, total <= bodyLimitBytes else {
            return refuseAndClose(.bodyTooLarge(limitBytes: bodyLimitBytes))
        }
        if current?.body == nil {
            current?.body = bytes
        } else {
            var bytes = bytes
            current?.body?.writeBuffer(&bytes)
        }
    }

    /// The request is not worth reading to its end.
    private func refuseAndClose(_ failure: GatewayFailure) {
        current?.isKeptAlive = false
        answer(failure)
    }

    // MARK: Writing

    /// Begins an answer that comes later. Nothing more is read until `finished`.
    func beginAnswering() { phase = .answering }

    /// Sends bytes that end the current request.
    func finish(
        _ output: ByteBuffer, status: Int = 200, predictionID: PredictionID? = nil,
        now: NIODeadline = .now()
    ) {
        if loop.accessLog != nil, let current {
            loop.accessLog?.append(
                current, status: status, bytes: output.readableBytes,
                milliseconds: loop.shared.time.now().millisecondsSince1970,
                predictionID: predictionID)
        }
        guard let context else { return }
        let wasAnswering = phase == .answering
        let isKeptAlive = current?.isKeptAlive ?? false
        current = nil
        quietSince = now
        if isKeptAlive, !isInputClosed || !pending.isEmpty, !loop.isDraining {
            phase = .idle
            keep(output, context)
            if !hasUnflushed {
                hasUnflushed = true
                loop.flushSoon(self, now: now)
            }
            if wasAnswering { resume(context) }
        } else {
            phase = .closing
            pending = []
            hasUnflushed = false
            if let unsent { queue(unsent, context) }
            unsent = nil
            let promise = context.eventLoop.makePromise(of: Void.self)
            promise.futureResult.assumeIsolated().whenComplete { [weak self] _ in
                self?.closeGently()
            }
            context.writeAndFlush(wrapOutboundOut(output), promise: promise)
        }
    }

    /// Goes on with what came while the answer was made.
    private func resume(_ context: ChannelHandlerContext) {
        while phase != .answering, phase != .closing, !pending.isEmpty {
            take(pending.removeFirst(), context)
        }
        if isReadHeldBack, phase != .answering {
            isReadHeldBack = false
            context.read()
        }
    }

    /// Takes a reply that `flush` sends.
    private func keep(_ output: ByteBuffer, _ context: ChannelHandlerContext) {
        guard socket != nil, queued == 0 else { return queue(output, context) }
        guard unsent != nil else {
            unsent = output
            return
        }
        var output = output
        unsent?.writeBuffer(&output)
    }

    /// Leaves bytes to the library, behind all that it has.
    private func queue(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        queued += 1
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenComplete { [weak self] _ in self?.queued -= 1 }
        context.write(wrapOutboundOut(bytes), promise: promise)
    }

    /// Sends what is written.
    func flush() {
        guard hasUnflushed else { return }
        hasUnflushed = false
        guard let context else { return }
        if var rest = unsent {
            unsent = nil
            let sent = queued == 0 ? socket?.send(rest) ?? 0 : 0
            if sent == rest.readableBytes { return }
            // The client is slow, or gone: the library waits for it, or finds out.
            rest.moveReaderIndex(forwardBy: sent)
            queue(rest, context)
        }
        context.flush()
    }

    /// Ends the connection, behind the answers that are written.
    private func close() {
        flush()
        context?.close(promise: nil)
    }

    /// Ends the connection when the client has taken the answers that the library still holds.
    private func closeWhenSent() {
        flush()
        guard queued > 0, let context else { return close() }
        phase = .closing
        pending = []
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenComplete { [weak self] _ in self?.close() }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer()), promise: promise)
    }

    /// Says that no more comes, and gives the client a second to read the answer: closing at once with
    /// unread input makes the kernel throw the answer away (RFC 9112, section 9.6).
    private func closeGently() {
        guard let context else { return }
        isOutputClosed = true
        context.close(mode: .output, promise: nil)
        let channel = context.channel
        context.eventLoop.scheduleTask(in: .seconds(1)) { channel.close(promise: nil) }
        if isReadHeldBack {
            isReadHeldBack = false
            context.read()
        }
    }

    // MARK: Ends

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed {
            isInputClosed = true
            // A client may end its side and still wait for the answer.
            switch phase {
            case .idle, .reading: closeWhenSent()
            // The last answer is on its way still, and its end closes the connection.
            case .closing: if isOutputClosed { close() }
            case .answering: break
            }
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if error is HTTPParserError, phase == .answering {
            // The request before is answered still, and is the last.
            current?.isKeptAlive = false
            pending = []
            return
        }
        guard error is HTTPParserError, phase == .idle || phase == .reading else {
            context.close(promise: nil)
            return
        }
        current = nil
        answer(.malformedHTTP)
    }

    func channelInactive(context: ChannelHandlerContext) {
        phase = .closing
        heldRefusal = nil
        pending = []
        socket = nil
        unsent = nil
        context.fireChannelInactive()
    }

    /// Called about once a second.
    func sweep(now: NIODeadline) {
        let configuration = loop.shared.configuration
        let limit = TimeAmount(configuration.requestTimeout)
        switch phase {
        case .reading:
            if let since = current?.receivedAt, now - since > limit { close() }
        case .idle:
            let isSlow = headSince.map { now - $0 > limit } ?? false
            if isSlow || now - quietSince > TimeAmount(configuration.idleTimeout) { close() }
        case .closing:
            // It has not taken its last answers in that time.
            if now - quietSince > TimeAmount(configuration.idleTimeout) { close() }
        case .answering: break
        }
    }

    func closeIfIdle() { if phase == .idle { close() } }
}
