import AloftDomain
package import NIOCore
package import NIOHTTP1

/// Keeps the host that a request line names itself (`GET http://NAME/… HTTP/1.1`), which the library drops:
/// behind its reader, and before it makes requests of what was read.
package final class TargetHost: ChannelInboundHandler {
    package typealias InboundIn = HTTPServerRequestPart
    package typealias InboundOut = HTTPServerRequestPart

    /// A header of ours, whatever a client puts there.
    package static let header = "x-aloft-target-host"

    package init() {}

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .head(var head) = unwrapInboundIn(data) else {
            return context.fireChannelRead(data)
        }
        if let authority = RequestTarget.authority(of: head.uri) {
            head.headers.replaceOrAdd(name: Self.header, value: authority)
        } else if head.headers.contains(name: Self.header) {
            head.headers.remove(name: Self.header)
        } else {
            return context.fireChannelRead(data)
        }
        context.fireChannelRead(wrapInboundOut(.head(head)))
    }
}
