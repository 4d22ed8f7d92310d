package import NIOCore

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Stands before everything in the pipeline of a listening socket. Where there is no descriptor left to
/// accept with, the kernel says so again at once, for as long as somebody connects: that would be a loop
/// without end, and an error that ends the server. Here the caller is sent away instead, with a descriptor
/// that is kept for this, and the oldest idle connections go.
package final class AcceptGuard: ChannelInboundHandler {
    package typealias InboundIn = any Channel

    private let tables: ConnectionTables
    private var reserve: CInt = -1

    package init(tables: ConnectionTables) { self.tables = tables }

    package func handlerAdded(context: ChannelHandlerContext) { keepReserve() }

    package func handlerRemoved(context: ChannelHandlerContext) { dropReserve() }

    package func channelInactive(context: ChannelHandlerContext) {
        dropReserve()
        context.fireChannelInactive()
    }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let error = error as? IOError, error.errnoCode == EMFILE || error.errnoCode == ENFILE
        else { return context.fireErrorCaught(error) }
        tables.shed()
        dropReserve()
        if let listener = SocketDescriptor.of(context.channel) {
            let caller = accept(listener, nil, nil)
            if caller >= 0 { close(caller) }
        }
        keepReserve()
    }

    private func keepReserve() {
        if reserve < 0 { reserve = open("/dev/null", O_RDONLY | O_CLOEXEC) }
    }

    private func dropReserve() {
        if reserve >= 0 { close(reserve) }
        reserve = -1
    }
}

package enum SocketDescriptor {
    /// `nil` for a channel that has no socket. Called on its loop.
    package static func of(_ channel: any Channel) -> CInt? {
        try? channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(
            of: NIOBSDSocket.Handle.self
        ) { $0 }
    }
}
