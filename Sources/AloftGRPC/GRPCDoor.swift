package import AloftDomain
package import AloftGateway
import GRPCCore
import GRPCNIOTransportHTTP2Posix
package import Logging
import NIOCore
import NIOPosix

/// Serves the gateway's models over gRPC, on the gateway's own event loops.
package struct GRPCDoor: GatewayDoor {
    private let listen: ListenAddress
    private let time: TimeSource
    private let logger: Logger

    /// How long calls that have begun may take when the gateway ends.
    private static let grace = Duration.seconds(5)

    /// Why nothing is served.
    package struct CannotListen: Error, CustomStringConvertible {
        package let address: ListenAddress
        package let reason: String
        package var description: String { "gRPC cannot listen at \(address): \(reason)" }
    }

    package init(listen: ListenAddress, time: TimeSource, logger: Logger) {
        self.listen = listen
        self.time = time
        self.logger = logger
    }

    package func serve(_ models: InferenceAccess) async throws {
        let transport = HTTP2ServerTransport.Posix(
            address: try address(), transportSecurity: .plaintext,
            config: Self.configuration(models), eventLoopGroup: models.group)
        let server = GRPCServer(transport: transport, services: [InferenceService(models: models)])
        // Not a child of this task: it goes on for a moment when this one is cancelled.
        let serving = Task(executorPreference: models.onlyLoop.map(LoopExecutor.init)) {
            try await server.serve()
        }
        try await withTaskCancellationHandler {
            if let bound = try? await transport.listeningAddress {
                let port = bound.ipv4?.port ?? bound.ipv6?.port ?? listen.port
                logger.info(
                    "listening for gRPC",
                    metadata: ["address": "\(ListenAddress(host: listen.host, port: port))"])
            }
            do {
                try await serving.value
            } catch {
                guard !Task.isCancelled else { return }
                throw CannotListen(address: listen, reason: Self.reason(error))
            }
        } onCancel: {
            server.beginGracefulShutdown()
            Task {
                try? await time.clock.sleep(for: Self.grace)
                serving.cancel()
            }
        }
    }

    private func address() throws -> GRPCNIOTransportHTTP2Posix.SocketAddress {
        do {
            let resolved = try NIOCore.SocketAddress.makeAddressResolvingHost(
                listen.host, port: listen.port)
            let host = resolved.ipAddress ?? listen.host
            return host.contains(":")
                ? .ipv6(host: host, port: listen.port) : .ipv4(host: host, port: listen.port)
        } catch {
            throw CannotListen(address: listen, reason: Self.reason(error))
        }
    }

    private static func reason(_ error: any Error) -> String {
        guard let error = error as? RuntimeError, let cause = error.cause else { return "\(error)" }
        return "\(cause)"
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
