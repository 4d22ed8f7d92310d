import AloftEdge
import AloftGateway
import NIOCore
import NIOPosix
import Synchronization

/// What one event loop keeps for its connections. Touched on that loop only.
final class GRPCLoop {
    let eventLoop: any EventLoop
    let models: InferenceAccess
    let access: LoopAccess
    private(set) var connections: [ObjectIdentifier: GRPCConnection] = [:]
    private(set) var isEnding = false
    /// Connections with replies that are not sent yet, and since when the first waits.
    private var unflushed: [LateFlush] = []
    private var unflushedSince = NIODeadline.distantFuture
    private var sweeps: RepeatedTask?

    /// How often slow connections are looked for.
    private static let sweepInterval = TimeAmount.milliseconds(500)
    /// The longest that a reply waits for those of other connections.
    private static let flushDelay = TimeAmount.milliseconds(1)

    init(eventLoop: any EventLoop, models: InferenceAccess) throws {
        self.eventLoop = eventLoop
        self.models = models
        access = try models.onLoop(eventLoop)
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        sweeps = eventLoop.scheduleRepeatedTask(
            initialDelay: Self.sweepInterval, delay: Self.sweepInterval
        ) { _ in bound.value.sweep(now: .now()) }
    }

    func opened(_ connection: GRPCConnection) {
        connections[ObjectIdentifier(connection)] = connection
    }

    func closed(_ connection: GRPCConnection) {
        connections[ObjectIdentifier(connection)] = nil
        access.connectionTable.closed(connection)
    }

    private func sweep(now: NIODeadline) {
        for connection in Array(connections.values) { connection.sweep(now: now) }
    }

    // MARK: Ending

    /// Tells every client that its connection ends.
    func begin() {
        isEnding = true
        for connection in Array(connections.values) { connection.beginEnding() }
    }

    /// Connections close as soon as they have answered, whether or not their clients know.
    func closeWhenAnswered() {
        for connection in Array(connections.values) { connection.closeWhenAnswered() }
    }

    func stop() {
        sweeps?.cancel()
        for connection in Array(connections.values) { connection.close() }
    }

    // MARK: Sending

    /// Sends a connection's replies when all that came in with this turn of the event loop is answered:
    /// clients are then woken for many replies, not for each.
    func flushSoon(_ connection: LateFlush) {
        unflushed.append(connection)
        if unflushed.count == 1 {
            unflushedSince = .now()
            let bound = NIOLoopBound(self, eventLoop: eventLoop)
            eventLoop.execute { bound.value.flush() }
        } else if NIODeadline.now() - unflushedSince > Self.flushDelay {
            flush()
        }
    }

    private func flush() {
        var connections: [LateFlush] = []
        swap(&connections, &unflushed)
        for connection in connections { connection.flushNow() }
    }
}

/// The event loops of a listener.
final class GRPCLoops: Sendable {
    private let models: InferenceAccess
    private let loops = Mutex<[ObjectIdentifier: NIOLoopBound<GRPCLoop>]>([:])

    init(models: InferenceAccess) { self.models = models }

    func start() async throws {
        for eventLoop in models.group.makeIterator() {
            let models = models
            let bound = try await eventLoop.submit {
                NIOLoopBound(
                    try GRPCLoop(eventLoop: eventLoop, models: models), eventLoop: eventLoop)
            }.get()
            loops.withLock { $0[ObjectIdentifier(eventLoop)] = bound }
        }
    }

    struct UnknownEventLoop: Error {}

    /// Called on that loop.
    func loop(of eventLoop: any EventLoop) throws -> GRPCLoop {
        guard let bound = loops.withLock({ $0[ObjectIdentifier(eventLoop)] }) else {
            throw UnknownEventLoop()
        }
        return bound.value
    }

    /// Asks every loop, one after another, and adds up what they say.
    @discardableResult
    func sum(_ count: @escaping @Sendable (GRPCLoop) -> Int) async -> Int {
        var total = 0
        for bound in loops.withLock({ Array($0.values) }) {
            total += (try? await bound.eventLoop.submit { count(bound.value) }.get()) ?? 0
        }
        return total
    }

    func each(_ work: @escaping @Sendable (GRPCLoop) -> Void) async {
        await sum {
            work($0)
            return 0
        }
    }
}

/// Holds what is to be sent until the end of the event loop's turn.
final class LateFlush: ChannelOutboundHandler {
    typealias OutboundIn = Any
    typealias OutboundOut = Any

    private let loop: GRPCLoop
    private var context: ChannelHandlerContext?
    private var isWaiting = false

    init(loop: GRPCLoop) { self.loop = loop }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func flush(context: ChannelHandlerContext) {
        guard !isWaiting else { return }
        isWaiting = true
        loop.flushSoon(self)
    }

    func flushNow() {
        isWaiting = false
        context?.flush()
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        if isWaiting { flushNow() }
        context.close(mode: mode, promise: promise)
    }
}
