import AloftDomain
import AloftEdge
import AloftGateway
import NIOCore
import NIOHPACK
import NIOHTTP2

/// One connection and its calls: reads HTTP/2's frames as they come from the library, without a channel
/// and a task for each call. Lives on its event loop.
final class GRPCConnection: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame
    typealias OutboundOut = HTTP2Frame

    /// A call under way.
    struct Call {
        let head: CallHead
        var message: MessageAssembly
        /// Whether the caller has said all, so that the call is being answered.
        var isWhole = false
        var admission = Admission.open
        var isVerified = false
        /// What of its window was left when it was not renewed.
        var windowLeft: Int?
    }

    let loop: GRPCLoop
    var context: ChannelHandlerContext?
    /// The HTTP/2 library's own place in the pipeline; what is written from there goes out as it is.
    var frames: ChannelHandlerContext?
    var calls: [HTTP2StreamID: Call] = [:]
    /// Calls of any number of messages.
    var streams: [HTTP2StreamID: InferStream] = [:]
    var ending = Ending()
    /// The last call that has begun.
    var lastStream = HTTP2StreamID.rootStream
    /// Bytes of messages that have not come whole, which count in the budget of all bodies.
    var bufferedBytes = 0 {
        didSet { count(from: oldValue) }
    }
    /// Bytes of whole messages for which their streams have no room yet.
    var waitingBytes = 0 {
        didSet { if waitingBytes < oldValue { renewWindow() } }
    }
    /// What the client may still send on all streams together.
    private var window = Window.initialConnection

    // What the sweep looks at.
    let openedAt = NIODeadline.now()
    /// When the client last said something, `nil` before it has.
    var heardAt: NIODeadline?
    /// When the last call ended.
    var quietSince = NIODeadline.now()
    var pingedAt: NIODeadline?
    private(set) var place: RemoteAddress?

    init(loop: GRPCLoop) { self.loop = loop }

    /// The HTTP/2 library, set up for messages of tensors.
    static func http2Handler() -> NIOHTTP2Handler {
        var connection = NIOHTTP2Handler.ConnectionConfiguration()
        connection.initialSettings = [
            HTTP2Setting(parameter: .initialWindowSize, value: Window.stream),
            // Tensors are large: fewer frames and fewer updates of the window for each.
            HTTP2Setting(parameter: .maxFrameSize, value: 1 << 18),
            HTTP2Setting(parameter: .maxHeaderListSize, value: 16 << 10),
            // One client cannot make the gateway hold any number of unfinished messages.
            HTTP2Setting(parameter: .maxConcurrentStreams, value: 256),
        ]
        // Clients of model servers ping often; that is no attack.
        connection.controlFrameRateLimit.maximumCount = 2000
        // So does a client whose deadlines pass end its calls.
        var stream = NIOHTTP2Handler.StreamConfiguration()
        stream.streamResetFrameRateLimit.maximumCount = 2000
        return NIOHTTP2Handler(
            mode: .server, connectionConfiguration: connection, streamConfiguration: stream)
    }

    /// What a client may send before it is read, in bytes.
    enum Window {
        static let stream = 4 << 20
        static let connection = 8 << 20
        static let initialConnection = 65535
    }

    // MARK: The channel

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        frames = try? context.pipeline.syncOperations.context(handlerType: NIOHTTP2Handler.self)
        place = RemoteAddress(context.remoteAddress)
        loop.opened(self)
        let descriptor = SocketDescriptor.of(context.channel)
        if !loop.access.connectionTable.opened(self, descriptor: descriptor) { close() }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        frames = nil
        forgetCalls()
        loop.closed(self)
    }

    func channelActive(context: ChannelHandlerContext) {
        renewWindow()
        if loop.isEnding { beginEnding() }
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        forgetCalls()
        loop.closed(self)
        context.fireChannelInactive()
    }

    /// The client takes what it is sent, which says that it is there.
    func isTaking() {
        heardAt = .now()
        pingedAt = nil
    }

    private func forgetCalls() {
        calls = [:]
        let gone = streams.values
        streams = [:]
        for stream in gone { stream.isGone() }
        bufferedBytes = 0
    }

    /// Backpressure: a client that does not take its answers is not asked for more.
    func channelWritabilityChanged(context: ChannelHandlerContext) {
        context.channel.setOption(ChannelOptions.autoRead, value: context.channel.isWritable)
            .whenFailure { _ in }
        context.fireChannelWritabilityChanged()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // An error of one call ends that call; the library has told the client.
        if error is NIOHTTP2Errors.StreamError { return }
        // A frame waited to be sent when its client gave the call up.
        if let error = error as? NIOHTTP2Errors.NoSuchStream, error.streamID <= lastStream {
            return
        }
        close()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? NIOHTTP2WindowUpdatedEvent {
            renewWindow(event)
        } else if let event = event as? StreamClosedEvent {
            ended(event.streamID)
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    // MARK: Frames

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = unwrapInboundIn(data)
        let now = NIODeadline.now()
        heardAt = now
        switch frame.payload {
        case .headers(let headers): begin(frame.streamID, headers, now)
        case .data(let data): take(frame.streamID, data)
        case .rstStream: ended(frame.streamID)
        case .ping(let mark, ack: true): heard(mark)
        default: break
        }
        if ending.isWanted { beginEnding() }
    }

    private func begin(
        _ stream: HTTP2StreamID, _ frame: HTTP2Frame.FramePayload.Headers, _ now: NIODeadline
    ) {
        guard calls[stream] == nil, streams[stream] == nil else {
            // Trailers: nothing in them is for us.
            if frame.endStream { isAllSaid(stream) }
            return
        }
        lastStream = max(lastStream, stream)
        do throws(Status) {
            let head = try CallHead(frame.headers, receivedAt: now, place: place)
            if !head.method.isPublic, let refusal = loop.access.refusalAtHead(head.facts.token) {
                throw Status(refusal)
            }
            if head.method == .modelStreamInfer { return begin(stream, head, frame.endStream) }
            calls[stream] = Call(head: head, message: MessageAssembly(framing(head)))
        } catch {
            return refuse(stream, error, isWhole: frame.endStream)
        }
        if frame.endStream { answer(stream) }
    }

    private func begin(_ stream: HTTP2StreamID, _ head: CallHead, _ isWhole: Bool) {
        guard !ending.hasBegun else {
            // Its client opens it again on another connection (RFC 9113, section 8.7).
            return reset(stream, .refusedStream)
        }
        let call = InferStream(stream, head, self)
        streams[stream] = call
        call.begin()
        if isWhole { call.receive(nil, isLast: true) }
    }

    private func isAllSaid(_ stream: HTTP2StreamID) {
        if let call = streams[stream] { call.receive(nil, isLast: true) } else { answer(stream) }
    }

    func framing(_ head: CallHead) -> MessageFraming {
        MessageFraming(
            limitBytes: loop.models.messageLimitBytes, mayBeCompressed: head.isCompressed)
    }

    /// The most bytes of messages that have not come whole or are not taken.
    var bufferLimit: Int { 2 * loop.models.messageLimitBytes }

    var tooMuchBuffered: Status {
        Status(
            .resourceExhausted,
            "The messages of this connection that have not come whole take more than twice "
                + "\(loop.models.messageLimitBytes) bytes.")
    }

    private func take(_ stream: HTTP2StreamID, _ frame: HTTP2Frame.FramePayload.Data) {
        guard case .byteBuffer(let bytes) = frame.data else { return }
        // Only counted: a second holder of the bytes would have them copied with each frame.
        guard let before = calls[stream]?.message.byteCount else {
            streams[stream]?.receive(bytes, isLast: frame.endStream)
            return
        }
        bufferedBytes -= before
        do throws(Status) {
            guard bufferedBytes + bytes.readableBytes <= bufferLimit else { throw tooMuchBuffered }
            guard !isOverBudget else { throw tooMuchHeld }
            try calls[stream]?.message.append(bytes)
        } catch {
            // Its bytes are not counted any more.
            calls[stream]?.isWhole = true
            return refuse(stream, error, isWhole: frame.endStream)
        }
        bufferedBytes += calls[stream]?.message.byteCount ?? 0
        if frame.endStream { answer(stream) } else { verify(stream) }
    }

    /// The caller has said all.
    private func answer(_ stream: HTTP2StreamID) {
        guard let call = calls[stream], !call.isWhole else { return }
        bufferedBytes -= call.message.byteCount
        calls[stream]?.isWhole = true
        let message: ByteBuffer
        do throws(Status) {
            message = try call.message.whole()
        } catch {
            return finish(stream, .failure(error))
        }
        // The bytes are in the message now, or on their way to become tensors.
        calls[stream]?.message = MessageAssembly(
            MessageFraming(limitBytes: 0, mayBeCompressed: false))
        guard call.head.method == .modelInfer else {
            return answerSlowly(stream, call.head, message)
        }
        loop.access.infer(message, call.head.facts) { [self] result in
            switch result {
            case .success(let answer): finish(stream, .success(Reply(answer)))
            case .failure(let refusal): finish(stream, .failure(Status(refusal)))
            }
        }
    }

    private func answerSlowly(_ stream: HTTP2StreamID, _ head: CallHead, _ message: ByteBuffer) {
        let methods = SmallMethods(models: loop.models)
        let method = head.method
        let (token, place) = (head.facts.token, head.facts.place)
        let bound = NIOLoopBound(self, eventLoop: loop.eventLoop)
        let eventLoop = loop.eventLoop
        Task {
            let result = await methods.answer(method, message, token: token, place: place)
            eventLoop.execute { bound.value.finish(stream, result.map(Reply.init)) }
        }
    }

    /// The call is over, whoever ended it.
    func ended(_ stream: HTTP2StreamID) {
        if let call = calls.removeValue(forKey: stream) {
            if !call.isWhole { bufferedBytes -= call.message.byteCount }
        } else if let call = streams.removeValue(forKey: stream) {
            call.isGone()
        } else {
            return
        }
        quietSince = .now()
        closeIfDone()
    }

    /// Lets the client send on when half of what it may has come.
    private func renewWindow(_ event: NIOHTTP2WindowUpdatedEvent) {
        guard let left = event.inboundWindowSize else { return }
        if event.streamID == .rootStream {
            window = left
            renewWindow()
        } else if let call = streams[event.streamID] {
            call.renewWindow(left: left)
        } else if let call = calls[event.streamID], !call.isWhole, left <= Window.stream / 2 {
            guard call.admission != .asked else {
                calls[event.streamID]?.windowLeft = left
                return
            }
            renewWindow(event.streamID, left: left)
        }
    }

    func renewWindow(_ stream: HTTP2StreamID, left: Int) {
        write(stream, .windowUpdate(windowSizeIncrement: Window.stream - left))
        context?.flush()
    }

    /// Unless more waits than the client may send at once.
    private func renewWindow() {
        guard window <= Window.connection / 2, waitingBytes <= Window.connection else { return }
        write(.rootStream, .windowUpdate(windowSizeIncrement: Window.connection - window))
        window = Window.connection
        context?.flush()
    }
}
