package import NIOCore
package import NIOHTTP1

/// How long a connection may take, and the least rate of a body.
package struct ConnectionTimeouts: Sendable {
    /// From the first byte of a head to its last.
    package var head = TimeAmount.seconds(30)
    /// A body must have brought `leastBytes` in each such time, or its end.
    package var body = TimeAmount.seconds(40)
    package var leastBytes = 64 << 10
    /// An open connection without a request.
    package var idle = TimeAmount.seconds(120)
    /// An answer that the client does not take.
    package var untaken = TimeAmount.seconds(120)
    /// The rest of a body that was refused by its head, until the connection is closed.
    package var linger = TimeAmount.seconds(5)

    package init() {}
}

/// Ends connections that hold what others need: of slow clients, of idle ones, and of such as were refused
/// and go on sending (slowloris and its kin). Stands behind the HTTP library's reader of requests.
///
/// Streams of events and long polls are being answered, so they may take as long as they like.
package final class HTTPConnectionLimits: ChannelDuplexHandler {
    package typealias InboundIn = HTTPServerRequestPart
    package typealias InboundOut = HTTPServerRequestPart
    package typealias OutboundIn = HTTPServerResponsePart
    package typealias OutboundOut = HTTPServerResponsePart

    private let table: ConnectionTable
    private let timeouts: ConnectionTimeouts
    private var context: ChannelHandlerContext?
    /// Requests that have begun and are not answered.
    private var open = 0
    /// Whether the last of them has not come whole.
    private var isReading = false
    private var sawPart = false
    /// Whether we wait for bytes of the client; not where the server itself does not keep up.
    private var wantsRead = false
    private var quietSince: NIODeadline
    private var headSince: NIODeadline?
    private var answeringFrom: NIODeadline
    /// The time over which the rate of a body is measured, and what came in it.
    private var bodySince: NIODeadline
    private var bodyBytes = 0
    /// When the last bytes of a body came.
    private var bodyAt: NIODeadline
    /// The time at which the parts that are read now came; asked for once.
    private var readAt: NIODeadline?
    private var untakenSince: NIODeadline?
    /// Whether the connection ends with the answer that is being written.
    private var endsWithAnswer = false
    private var lingersUntil: NIODeadline?
    /// Done when the client ended its side, or the connection is closed.
    private var leaving: EventLoopPromise<Void>?

    package init(
        table: ConnectionTable, timeouts: ConnectionTimeouts = ConnectionTimeouts(),
        now: NIODeadline
    ) {
        self.table = table
        self.timeouts = timeouts
        quietSince = now
        bodySince = now
        bodyAt = now
        answeringFrom = now
    }

    package func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        leaving = context.eventLoop.makePromise()
        if !table.opened(self, descriptor: SocketDescriptor.of(context.channel)) {
            context.close(promise: nil)
        }
    }

    package func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        leaving?.succeed()
        table.closed(self)
    }

    package func channelInactive(context: ChannelHandlerContext) {
        table.closed(self)
        leaving?.succeed()
        context.fireChannelInactive()
    }

    package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed? = event as? ChannelEvent { leaving?.succeed() }
        context.fireUserInboundEventTriggered(event)
    }

    /// Runs `action` when the client of `channel` ends its side of the connection or it is closed; at
    /// once where that is so already, never on a channel without these limits. From any thread.
    package static func whenClientLeaves(
        _ channel: any Channel, _ action: @escaping @Sendable () -> Void
    ) {
        channel.eventLoop.execute {
            guard
                let limits = try? channel.pipeline.syncOperations.handler(
                    type: HTTPConnectionLimits.self)
            else { return }
            limits.leaving?.futureResult.whenComplete { _ in action() }
        }
    }

    // MARK: What comes

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        sawPart = true
        let now = readAt ?? context.eventLoop.now
        readAt = now
        var data = data
        switch unwrapInboundIn(data) {
        case .head(let head):
            if open == 0 { answeringFrom = now }
            open += 1
            isReading = true
            (bodySince, bodyBytes) = (now, 0)
            bodyAt = now
            if let marked = TargetHost.marked(head) { data = wrapInboundOut(.head(marked)) }
        case .body(let bytes):
            bodyBytes += bytes.readableBytes
            bodyAt = now
        case .end:
            isReading = false
            answeringFrom = now
        }
        context.fireChannelRead(data)
        if lingersUntil != nil, !isReading { context.close(promise: nil) }
    }

    package func channelReadComplete(context: ChannelHandlerContext) {
        wantsRead = false
        readAt = nil
        if open == 0 { headSince = sawPart ? nil : headSince ?? context.eventLoop.now }
        sawPart = false
        context.fireChannelReadComplete()
    }

    package func read(context: ChannelHandlerContext) {
        wantsRead = true
        context.read()
    }

    // MARK: What goes

    package func write(
        context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?
    ) {
        switch unwrapOutboundIn(data) {
        case .head(var head):
            // Not for what follows on an answer, and not for one that a reader's own fault ends.
            guard isReading, open == 1, Self.endsUnread.contains(head.status.code) else { break }
            endsWithAnswer = true
            head.headers.replaceOrAdd(name: "connection", value: "close")
            return context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .body: break
        case .end:
            open -= 1
            quietSince = context.eventLoop.now
            headSince = nil
            guard endsWithAnswer else { break }
            lingersUntil = quietSince + timeouts.linger
            context.writeAndFlush(data, promise: promise)
            if !isReading { context.close(promise: nil) }
            return
        }
        context.write(data, promise: promise)
    }

    /// Who is refused with one of these is a stranger: the rest of the body is not waited for.
    private static let endsUnread: Set<UInt> = [401, 403, 429, 503]

    package func channelWritabilityChanged(context: ChannelHandlerContext) {
        untakenSince = context.channel.isWritable ? nil : untakenSince ?? context.eventLoop.now
        context.fireChannelWritabilityChanged()
    }
}

extension HTTPConnectionLimits: TabledConnection {
    package var idleSince: NIODeadline? {
        if isReading { return bodyAt }
        return open == 0 ? headSince ?? quietSince : nil
    }

    package var answeringSince: NIODeadline? { open > 0 && !isReading ? answeringFrom : nil }

    package func giveWay() { context?.close(promise: nil) }

    package func sweep(now: NIODeadline) { if isOverdue(now) { giveWay() } }

    private func isOverdue(_ now: NIODeadline) -> Bool {
        if let lingersUntil { return now >= lingersUntil }
        if let untakenSince, now - untakenSince >= timeouts.untaken { return true }
        if isReading { return isBodySlow(now) }
        guard open == 0 else { return false }
        if let headSince { return now - headSince >= timeouts.head }
        return now - quietSince >= timeouts.idle
    }

    private func isBodySlow(_ now: NIODeadline) -> Bool {
        guard wantsRead else {
            // The server takes its time.
            (bodySince, bodyBytes) = (now, 0)
            return false
        }
        guard now - bodySince >= timeouts.body else { return false }
        let isSlow = bodyBytes < timeouts.leastBytes
        (bodySince, bodyBytes) = (now, 0)
        return isSlow
    }
}
