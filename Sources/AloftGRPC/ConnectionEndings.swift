import GRPCNIOTransportHTTP2Posix
import NIOCore
import NIOHTTP2
import Synchronization

/// Ends connections so that no call is lost.
///
/// A client learns from a frame (GOAWAY) that it must open another connection, and begins calls until it
/// has seen that. The HTTP/2 library refuses these as soon as it has sent the frame itself. So the frame
/// first goes out past the library, with a PING behind it; when that is answered the client knows, begins
/// nothing more, and the library may end the connection in its own way.
final class ConnectionEndings: Sendable {
    private let isEnding = Atomic(false)
    private let state = Mutex(State())

    private struct State {
        var listener: (any Channel)?
        var connections: [ObjectIdentifier: any Channel] = [:]
        /// Those whose clients may not know yet.
        var unknowing: Set<ObjectIdentifier> = []
    }

    /// Connections whose clients may not know of the end.
    var unknowingCount: Int { state.withLock(\.unknowing.count) }

    func add(to config: inout HTTP2ServerTransport.Posix.Config) {
        config.channelDebuggingCallbacks.onBindTCPListener = { [self] channel in
            state.withLock { $0.listener = channel }
            return channel.eventLoop.makeSucceededVoidFuture()
        }
        config.channelDebuggingCallbacks.onAcceptTCPConnection = { [self] channel in
            channel.eventLoop.makeCompletedFuture {
                let pipeline = channel.pipeline.syncOperations
                let frames = try pipeline.context(handlerType: NIOHTTP2Handler.self)
                let end = ConnectionEnd(self, frames)
                try pipeline.addHandler(end, position: .after(frames.handler))
                if isEnding.load(ordering: .acquiring) { end.begin() }
            }
        }
    }

    /// Takes no more connections and tells the clients of those that are open. Returns when no more is
    /// taken.
    func begin() async {
        isEnding.store(true, ordering: .releasing)
        let (listener, open) = state.withLock { ($0.listener, Array($0.connections.values)) }
        // Not closed: a connection that is accepted at that moment would be lost on its way.
        try? await listener?.setOption(ChannelOptions.autoRead, value: false).get()
        for channel in open {
            channel.eventLoop.execute {
                let end = try? channel.pipeline.syncOperations.handler(type: ConnectionEnd.self)
                end?.begin()
            }
        }
    }

    fileprivate func opened(_ channel: any Channel) {
        state.withLock { state in
            state.connections[ObjectIdentifier(channel)] = channel
            state.unknowing.insert(ObjectIdentifier(channel))
        }
    }

    fileprivate func knows(_ channel: any Channel) {
        _ = state.withLock { $0.unknowing.remove(ObjectIdentifier(channel)) }
    }

    fileprivate func closed(_ channel: any Channel) {
        state.withLock { state in
            state.connections[ObjectIdentifier(channel)] = nil
            state.unknowing.remove(ObjectIdentifier(channel))
        }
    }
}

/// One connection: says that it ends, and hears that the client knows. Lives on its event loop.
private final class ConnectionEnd: ChannelDuplexHandler {
    typealias InboundIn = HTTP2Frame
    typealias OutboundIn = HTTP2Frame

    private let endings: ConnectionEndings
    /// The library's own place in the pipeline; what is written from there goes out as it is.
    private let frames: ChannelHandlerContext
    private var context: ChannelHandlerContext?
    private var hasBegun = false
    /// Whether the client has said something, so that both have sent what HTTP/2 begins with.
    private var hasSpoken = false
    private var isWanted = false
    private var isQuiescing = false
    /// Closings that wait for the client's.
    private var closings: [(mode: CloseMode, promise: EventLoopPromise<Void>?)] = []
    private var hasLingered = false

    /// How long a client may take to close when all is answered.
    private static let linger = TimeAmount.seconds(1)
    /// What the PING carries.
    private static let mark = HTTP2PingData(withInteger: 0x616c_6f66_745f_656e)

    init(_ endings: ConnectionEndings, _ frames: ChannelHandlerContext) {
        self.endings = endings
        self.frames = frames
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        endings.opened(context.channel)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        endings.closed(context.channel)
    }

    /// Tells the client: GOAWAY with the highest stream there is and no error, then PING (RFC 9113,
    /// sections 6.7 and 6.8).
    func begin() {
        guard !hasBegun, !isQuiescing, context != nil else { return }
        guard hasSpoken else {
            isWanted = true
            return
        }
        hasBegun = true
        var bytes = ByteBuffer()
        bytes.writeBytes([0, 0, 8, 7, 0, 0, 0, 0, 0, 0x7F, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0])
        bytes.writeBytes([0, 0, 8, 6, 0, 0, 0, 0, 0])
        _ = withUnsafeBytes(of: Self.mark.bytes) { bytes.writeBytes($0) }
        frames.writeAndFlush(NIOAny(bytes), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = unwrapInboundIn(data)
        hasSpoken = true
        context.fireChannelRead(data)
        if isWanted { begin() }
        if case .ping(let mark, ack: true) = frame.payload, mark == Self.mark {
            endings.knows(context.channel)
        }
    }

    // MARK: Closing

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ChannelShouldQuiesceEvent { isQuiescing = true }
        context.fireUserInboundEventTriggered(event)
    }

    /// To close with unread input makes the kernel throw away what the client has not read. A client
    /// that knows of the end closes by itself as soon as it has its answers, so it gets time to.
    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard isQuiescing, !hasLingered else { return context.close(mode: mode, promise: promise) }
        closings.append((mode, promise))
        guard closings.count == 1 else { return }
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: Self.linger) { bound.value.closeNow() }
    }

    func channelInactive(context: ChannelHandlerContext) {
        hasLingered = true
        for closing in closings { closing.promise?.succeed() }
        closings = []
        context.fireChannelInactive()
    }

    private func closeNow() {
        hasLingered = true
        let waiting = closings
        closings = []
        for closing in waiting { context?.close(mode: closing.mode, promise: closing.promise) }
    }
}
