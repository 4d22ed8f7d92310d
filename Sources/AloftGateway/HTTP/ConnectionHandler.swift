import AloftDomain
import AloftEdge
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

    enum Phase {
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
    /// The memory of plain requests.
    var kept: RequestInProgress?
    var phase = Phase.idle
    var pending = CircularBuffer<HTTPServerRequestPart>()
    private var isReadHeldBack = false
    /// Answers since this connection last left the event loop to others.
    private var answersInTurn = 0
    /// Whether it has asked nothing yet.
    private(set) var isNew = true
    private var isResumeDue = false
    private var hasUnflushed = false
    var socket: ReplySocket?
    /// What is to be sent with the next `flush`.
    var unsent: ByteBuffer?
    /// Pieces that the library holds; while there are any, nothing may overtake them.
    private var queued = 0
    private var queuedBytes = 0 {
        didSet { countReplies(from: oldValue) }
    }
    /// Of the body that is kept, those that count in the budget of all.
    var countedBytes = 0
    /// When a request of this connection was shed last.
    var shedAt: NIODeadline?
    /// What a client is told that came again too soon, when its pause is over.
    var heldRefusal: InferenceError?
    var sawPart = false
    var isInputClosed = false
    /// Whether what follows on the request that is being answered, or its own body, is no HTTP.
    var isBroken = false
    var isOutputClosed = false
    /// When the connection last did something: opened, or ended an answer.
    var quietSince = NIODeadline.now()
    /// When the first bytes of an unfinished head came.
    var headSince: NIODeadline?

    init(loop: LoopState) {
        self.loop = loop
        bodyLimitBytes = loop.shared.configuration.bodyLimitBytes
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        socket = ReplySocket(context.channel)
        let descriptor = SocketDescriptor.of(context.channel)
        if !loop.opened(self, descriptor: descriptor) { context.close(promise: nil) }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        giveBodyBack()
        loop.closed(self)
    }

    // MARK: Reading

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        sawPart = true
        let part = unwrapInboundIn(data)
        switch phase {
        case .idle where isBackedUp || !pending.isEmpty: pending.append(part)
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
        if pending.isEmpty { answersInTurn = 0 } else { resumeSoon() }
    }

    /// Backpressure: while an answer is outstanding nothing more is read, so a client cannot pile up
    /// requests. One that is about to be shed hardly sends more, and to stop reading would cost more
    /// than the reply.
    func read(context: ChannelHandlerContext) {
        if isBackedUp || phase == .answering && (heldRefusal == nil || !pending.isEmpty) {
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
            head: head, table: loop.table, tableNumber: loop.tableNumber, now: .now(),
            hosts: loop.shared.hosts)
        current = request
        guard request.hasBody else { return }
        // Nothing is kept of what a stranger sends.
        if let failure = strangersFailure(request) {
            // Told behind the body, which is dropped: who writes still may not see it before.
            if case .refused = failure, !request.expectsContinue { return }
            return refuseAndClose(failure)
        }
        if let declared = request.declaredBytes, declared > bodyLimitBytes {
            return refuseAndClose(.bodyTooLarge(limitBytes: bodyLimitBytes))
        }
        verifyBeforeBody(request) { $0.askForBody() }
    }

    /// The body may come.
    private func askForBody() {
        guard let context, current?.expectsContinue == true else { return }
        flush()
        queue(ByteBuffer(string: "HTTP/1.1 100 Continue\r\n\r\n"), context)
        context.flush()
    }

    /// The caller is known, which took a moment: what came meanwhile is read now.
    func readOn() {
        guard phase == .answering, current != nil, let context else { return }
        phase = .reading
        if isBroken { return refuseAndClose(.malformedHTTP) }
        askForBody()
        resume(context)
    }

    private func append(_ bytes: ByteBuffer) {
        guard phase == .reading, current != nil else { return }
        current?.bodyBytes += bytes.readableBytes
        guard let total = current?.bodyBytes, total <= bodyLimitBytes else {
            return refuseAndClose(.bodyTooLarge(limitBytes: bodyLimitBytes))
        }
        if current?.refusal != nil { return }
        guard loop.shared.bodies.take(bytes.readableBytes) else {
            return refuseAndClose(.bodiesHeld)
        }
        countedBytes += bytes.readableBytes
        if current?.body == nil {
            current?.body = bytes
        } else {
            var bytes = bytes
            current?.body?.writeBuffer(&bytes)
        }
    }

    /// The request is not worth reading to its end.
    func refuseAndClose(_ failure: GatewayFailure) {
        current?.isKeptAlive = false
        current?.body = nil
        answer(failure)
    }

    private func giveBodyBack() {
        guard countedBytes > 0 else { return }
        loop.shared.bodies.give(countedBytes)
        countedBytes = 0
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
        giveBodyBack()
        guard let context else { return }
        let wasAnswering = phase == .answering
        let isKeptAlive = current?.isKeptAlive ?? false
        current?.ended()
        current = nil
        isNew = false
        quietSince = now
        answersInTurn += 1
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
            if phase == .idle, isBackedUp {
                if answersInTurn >= Self.mostAnswersInTurn { resumeSoon() }
                return
            }
            // traps: not empty, as the loop has just asked
            take(pending.removeFirst(), context)
        }
        if isReadHeldBack, phase != .answering, !isBackedUp {
            isReadHeldBack = false
            context.read()
        }
    }

    /// Whether the client is so far behind with its answers that it is not asked for more, or has had as
    /// many as one client may before others have their turn.
    var isBackedUp: Bool {
        if answersInTurn >= Self.mostAnswersInTurn { return true }
        let waiting = queuedBytes + (unsent?.readableBytes ?? 0)
        return waiting > Self.freeReplyBytes
            && (waiting > Self.mostReplyBytes || loop.shared.bodies.isOver)
    }

    /// Replies that wait for a client count in the budget of all bodies, but for so many of each.
    private static let freeReplyBytes = 256 << 10
    /// Clients that ask much before they read an answer get by with this.
    private static let mostReplyBytes = 16 << 20

    private func countReplies(from before: Int) {
        let counted = max(0, before - Self.freeReplyBytes)
        let now = max(0, queuedBytes - Self.freeReplyBytes)
        if now > counted {
            loop.shared.bodies.hold(now - counted)
        } else if now < counted {
            loop.shared.bodies.give(counted - now)
        }
    }

    private static let mostAnswersInTurn = 64

    /// Goes on with what waits, when others had their turn.
    private func resumeSoon() {
        guard !isResumeDue, isReadHeldBack || !pending.isEmpty else { return }
        isResumeDue = true
        let bound = NIOLoopBound(self, eventLoop: loop.eventLoop)
        loop.eventLoop.execute { bound.value.resumeNow() }
    }

    private func resumeNow() {
        isResumeDue = false
        answersInTurn = 0
        guard let context, phase == .idle || phase == .reading, !isBackedUp else { return }
        resume(context)
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
        let count = bytes.readableBytes
        queued += 1
        queuedBytes += count
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenComplete { [self] _ in
            queued -= 1
            queuedBytes -= count
            resumeSoon()
        }
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
            if sent == rest.readableBytes {
                resumeSoon()
                return
            }
            // The client is slow, or gone: the library waits for it, or finds out.
            rest.moveReaderIndex(forwardBy: sent)
            queue(rest, context)
        }
        context.flush()
    }

    /// Ends the connection, behind the answers that are written.
    func close() {
        flush()
        context?.close(promise: nil)
    }

    /// Ends the connection when the client has taken the answers that the library still holds.
    func closeWhenSent() {
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
}
