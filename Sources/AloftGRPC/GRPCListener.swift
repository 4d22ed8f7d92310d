package import AloftDomain
import AloftEdge
package import AloftGateway
package import Logging
import NIOCore
import NIOPosix

/// Serves the gateway's models over gRPC, on the gateway's own event loops.
package struct GRPCListener: GatewayListener {
    package let listen: ListenAddress
    package let name = "gRPC"
    private let time: TimeSource
    private let logger: Logger

    /// How long clients may take to learn that this gateway ends.
    private static let goAwayGrace = TimeAmount.seconds(2)

    package init(listen: ListenAddress, time: TimeSource, logger: Logger) {
        self.listen = listen
        self.time = time
        self.logger = logger
    }

    package func serve(_ models: InferenceAccess, at socket: ListeningSocket) async throws {
        let port = socket.port ?? listen.port
        let loops = GRPCLoops(models: models)
        try await loops.start()
        let channel = try await accept(at: socket, models, loops)
        logger.info(
            "listening for gRPC",
            metadata: ["address": "\(ListenAddress(host: listen.host, port: port))"])
        let (ended, end) = AsyncStream.makeStream(of: Void.self)
        channel.closeFuture.whenComplete { _ in end.finish() }
        for await _ in ended {}
        guard Task.isCancelled else { throw ChannelError.ioOnClosedChannel }
        // Not a child of this task: it goes on for a while when this one is cancelled.
        await Task { await self.end(models, loops, channel) }.value
    }

    private func accept(
        at socket: ListeningSocket, _ models: InferenceAccess, _ loops: GRPCLoops
    ) async throws -> any Channel {
        let tables = models.tables
        return try await ServerBootstrap(group: models.group)
            .serverChannelInitializer { listener in
                listener.eventLoop.makeCompletedFuture {
                    try listener.pipeline.syncOperations.addHandler(AcceptGuard(tables: tables))
                }
            }
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let loop = try loops.loop(of: channel.eventLoop)
                    try channel.pipeline.syncOperations.addHandlers([
                        LateFlush(loop: loop), GRPCConnection.http2Handler(),
                        GRPCConnection(loop: loop),
                    ])
                }
            }
            .withBoundSocket(socket.descriptor).get()
    }

    /// Takes no more calls and lets those that have begun end.
    private func end(
        _ models: InferenceAccess, _ loops: GRPCLoops, _ listener: any Channel
    ) async {
        // Not closed: a connection that is accepted at that moment would be lost on its way.
        try? await listener.setOption(ChannelOptions.autoRead, value: false).get()
        await loops.each { $0.begin() }
        models.listenerClosed()
        await wait(for: Self.goAwayGrace) {
            await loops.sum { $0.connections.values.count { $0.isUnknowing } } == 0
        }
        await loops.each { $0.closeWhenAnswered() }
        await wait(for: TimeAmount(models.endLimit)) {
            await loops.sum { $0.connections.count } == 0
        }
        await loops.each { $0.stop() }
        try? await listener.close()
    }

    private func wait(for limit: TimeAmount, until holds: () async -> Bool) async {
        let deadline = NIODeadline.now() + limit
        while NIODeadline.now() < deadline {
            if await holds() { return }
            try? await time.clock.sleep(for: .milliseconds(20))
        }
    }
}
