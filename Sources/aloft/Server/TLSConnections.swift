import HummingbirdCore
import Logging
import NIOCore
import NIOSSL

/// Connections as `EventLoopConnections` has them, inside TLS.
struct TLSConnections: ServerChildChannel {
    let base: EventLoopConnections
    let certificate: ServerCertificate

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<EventLoopConnections.Value>
    {
        channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(
                NIOSSLServerHandler(context: certificate.context))
        }.flatMap { base.setup(channel: channel, logger: logger) }
    }

    func handle(value: EventLoopConnections.Value, logger: Logger) async {
        await base.handle(value: value, logger: logger)
    }
}
