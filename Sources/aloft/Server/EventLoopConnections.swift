import AloftEdge
import HTTPTypes
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1

/// HTTP/1.1 connections whose tasks run on the thread of their event loop, so that reading a request
/// and writing its answer wake no other thread. What takes longer than a moment must leave it, as
/// `FrontMiddleware` sees to.
struct EventLoopConnections: ServerChildChannel {
    private let connections: HTTP1Channel
    private let tables: ConnectionTables

    static func server(_ tables: ConnectionTables) -> HTTPServerBuilder {
        HTTPServerBuilder { responder in
            EventLoopConnections(
                connections: HTTP1Channel(responder: responder), tables: tables)
        }
    }

    /// The library takes what comes over TLS for plain HTTP; who makes cookies and addresses asks.
    static func tls(
        _ certificate: ServerCertificate, _ tables: ConnectionTables
    ) -> HTTPServerBuilder {
        HTTPServerBuilder { responder in
            let connections = HTTP1Channel { request, writer, channel in
                var head = request.head
                head.scheme = "https"
                try await responder(Request(head: head, body: request.body), writer, channel)
            }
            return TLSConnections(
                base: EventLoopConnections(connections: connections, tables: tables),
                certificate: certificate)
        }
    }

    /// The library's listening socket ends with the first error; no more descriptors is none to end at.
    static func guardAccepts(of listener: any Channel, _ tables: ConnectionTables) async {
        try? await listener.eventLoop.submit {
            try listener.pipeline.syncOperations.addHandler(
                AcceptGuard(tables: tables), position: .first)
        }.get()
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<HTTP1Channel.Value> {
        let (connections, tables) = (connections, tables)
        let eventLoop = channel.eventLoop
        return eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(RequestLineGuard())
        }.flatMap {
            connections.setup(channel: channel, logger: logger)
        }.flatMapThrowing { value in
            let operations = channel.pipeline.syncOperations
            let reader = try operations.context(
                handlerType: ByteToMessageHandler<HTTPRequestDecoder>.self)
            try operations.addHandler(
                HTTPConnectionLimits(table: tables.table(of: eventLoop), now: eventLoop.now),
                position: .after(reader.handler))
            return value
        }
    }

    func handle(value: HTTP1Channel.Value, logger: Logger) async {
        let executor = EventLoopTaskExecutor(loop: value.channel.eventLoop)
        await withTaskExecutorPreference(executor) {
            await connections.handle(value: value, logger: logger)
        }
    }
}

/// Runs tasks on an event loop's thread.
private final class EventLoopTaskExecutor: TaskExecutor {
    private let loop: any EventLoop

    init(loop: any EventLoop) { self.loop = loop }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        loop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
