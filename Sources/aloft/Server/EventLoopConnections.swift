import HummingbirdCore
import Logging
import NIOCore

/// HTTP/1.1 connections whose tasks run on the thread of their event loop, so that reading a request
/// and writing its answer wake no other thread. What takes longer than a moment must leave it, as
/// `ShortCallMiddleware` sees to.
struct EventLoopConnections: ServerChildChannel {
    private let connections: HTTP1Channel

    static var server: HTTPServerBuilder {
        HTTPServerBuilder { responder in
            EventLoopConnections(connections: HTTP1Channel(responder: responder))
        }
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<HTTP1Channel.Value> {
        connections.setup(channel: channel, logger: logger)
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
