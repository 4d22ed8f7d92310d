package import AloftDomain
package import AloftGateway
import GRPCCore
import GRPCNIOTransportHTTP2Posix
package import Logging
import NIOCore
import NIOPosix

/// Serves the gateway's models over gRPC, on the gateway's own event loops.
package struct GRPCDoor: GatewayDoor {
    package let listen: ListenAddress
    package let name = "gRPC"
    private let time: TimeSource
    private let logger: Logger

    /// How long clients may take to learn that this gateway ends.
    private static let patience = TimeAmount.seconds(2)

    package init(listen: ListenAddress, time: TimeSource, logger: Logger) {
        self.listen = listen
        self.time = time
        self.logger = logger
    }

    package func serve(_ models: InferenceAccess, at socket: ListeningSocket) async throws {
        let port = socket.port ?? listen.port
        let endings = ConnectionEndings()
        var config = Self.configuration(models)
        endings.add(to: &config)
        let transport = HTTP2ServerTransport.Posix(
            listeningSocketDescriptor: Int(socket.descriptor), transportSecurity: .plaintext,
            config: config, eventLoopGroup: models.group)
        let server = GRPCServer(transport: transport, services: [InferenceService(models: models)])
        // Not a child of this task: it goes on for a while when this one is cancelled.
        let serving = Task(executorPreference: models.onlyLoop.map(LoopExecutor.init)) {
            try await server.serve()
        }
        logger.info(
            "listening for gRPC",
            metadata: ["address": "\(ListenAddress(host: listen.host, port: port))"])
        try await withTaskCancellationHandler {
            do {
                try await serving.value
            } catch {
                guard !Task.isCancelled else { return }
                throw error
            }
        } onCancel: {
            Task { await end(models, endings, server, serving) }
        }
    }

    /// Takes no more calls and lets those that have begun end.
    private func end(
        _ models: InferenceAccess, _ endings: ConnectionEndings,
        _ server: GRPCServer<HTTP2ServerTransport.Posix>, _ serving: Task<Void, any Error>
    ) async {
        await endings.begin()
        models.doorClosed()
        let limit = NIODeadline.now() + Self.patience
        while endings.unknowingCount > 0, NIODeadline.now() < limit {
            try? await time.clock.sleep(for: .milliseconds(20))
        }
        server.beginGracefulShutdown()
        try? await time.clock.sleep(for: models.endLimit)
        serving.cancel()
    }

    private static func configuration(
        _ models: InferenceAccess
    ) -> HTTP2ServerTransport.Posix.Config {
        .defaults { config in
            config.rpc.maxRequestPayloadSize = models.messageLimitBytes
            config.compression.enabledAlgorithms = .all
            // Tensors are large: fewer frames and fewer updates of the window for each.
            config.http2.maxFrameSize = 1 << 18
            config.http2.targetWindowSize = 1 << 22
            // One client cannot make the gateway hold any number of unfinished messages.
            config.http2.maxConcurrentStreams = 256
            // What one turn of the loop answers leaves together, and nothing waits for the next.
            config.connection.flushCoalescing = .init(maxFlushDelay: .zero, maxBytes: 64 << 10)
            config.connection.maxIdleTime = .seconds(1800)
            config.connection.keepalive.time = .seconds(60)
            // Clients of model servers ping often; that is no attack.
            config.connection.keepalive.clientBehavior = .init(
                minPingIntervalWithoutCalls: .seconds(5), allowWithoutCalls: true)
        }
    }
}
