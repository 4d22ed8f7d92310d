import AloftDomain
import AloftEdge
import NIOCore
import NIOHTTP1
import NIOPosix

/// A gateway that accepts connections of HTTP/1.1, and how its place goes to the next.
struct HTTPListener: Sendable {
    let address: ListenAddress
    let socket: ListeningSocket
    let channel: any Channel
    /// Where another gateway answered before; it lets go of its further listeners later.
    let succession: Succession?
    /// The sockets of that one's further listeners.
    let handed: [ListenAddress: ListeningSocket]
    let point: HandoverPoint
    /// Ends when another gateway has taken over, or a listener could not be opened.
    let turn: AsyncStream<Void>
    let endOfTurn: AsyncStream<Void>.Continuation

    /// Accepts no more.
    func close() async {
        point.close()
        try? await channel.close()
        socket.close()
    }
}

extension Gateway {
    /// Takes the socket of the gateway before, or opens one, and accepts connections from it.
    ///
    /// - Throws: `GatewayStartFailure`, or an `IOError` where it cannot listen.
    func listen(_ parts: GatewayParts) async throws -> HTTPListener {
        let (succession, handed) = try await takeSockets(parts.predecessor, parts.manager)
        let socket = try succession?.socket ?? ListeningSocket.open(configuration.listen)
        let channel = try await accept(on: socket, parts.loops)
        let (turn, endOfTurn) = AsyncStream.makeStream(of: Void.self)
        let point = try HandoverPoint(
            folder: configuration.folder, listen: configuration.listen,
            listener: socket.descriptor, logger: logger,
            pause: { try? channel.setOption(ChannelOptions.autoRead, value: !$0).wait() },
            onTaken: { endOfTurn.finish() })
        point.expectLetGo(listeners.count)
        try succession?.confirm()
        let address = ListenAddress(
            host: configuration.listen.host, port: socket.port ?? configuration.listen.port)
        return HTTPListener(
            address: address, socket: socket, channel: channel, succession: succession,
            handed: handed, point: point, turn: turn, endOfTurn: endOfTurn)
    }

    private func accept(
        on socket: ListeningSocket, _ loops: EventLoops
    ) async throws -> any Channel {
        let tables = loops.tables
        return try await ServerBootstrap(group: loops.group)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelInitializer { listener in
                listener.eventLoop.makeCompletedFuture {
                    try listener.pipeline.syncOperations.addHandler(AcceptGuard(tables: tables))
                }
            }
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let state = try loops.state(of: channel.eventLoop)
                    let connection = ConnectionHandler(loop: state)
                    let plain = PlainRequestReader(
                        bodyLimitBytes: connection.bodyLimitBytes, take: connection.take
                    ) {
                        ByteToMessageHandler(
                            HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes))
                    }
                    try channel.pipeline.syncOperations.addHandlers([plain, connection])
                }
            }
            .withBoundSocket(try socket.copy().descriptor).get()
    }

    /// Serves one further listener until the task is cancelled.
    func serve(
        _ listener: any GatewayListener, _ http: HTTPListener, _ parts: GatewayParts
    ) async throws {
        let socket = try await open(
            listener, handed: http.handed[listener.listen], isSuccessor: parts.predecessor != nil)
        let copy = try socket.copy()
        http.point.offer(socket, at: listener.listen)
        // Two must not accept from one socket at a time.
        try? await parts.threads.runIfActive { http.succession?.waitUntilLetGo() }
        let access = InferenceAccess(
            loops: parts.loops, shared: parts.shared, repository: parts.shared.repository,
            listenerClosed: { http.point.letGo() })
        try await listener.serve(access, at: copy)
    }
}
