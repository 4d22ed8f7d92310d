import AloftEdge
import NIOCore
import NIOHTTP1

// How a connection ends: by its client, by a fault, by its slowness, or to make room.
extension ConnectionHandler {
    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed {
            isInputClosed = true
            // A half-close: a client may end its side and still wait for the answer.
            switch phase {
            // What came before is answered still.
            case .idle where !pending.isEmpty: break
            case .idle, .reading: closeWhenSent()
            // The last answer is on its way still, and its end closes the connection.
            case .closing: if isOutputClosed { close() }
            case .answering: break
            }
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if error is HTTPParserError, phase == .answering {
            // The request before is answered still, and is the last.
            current?.isKeptAlive = false
            pending = []
            isBroken = true
            return
        }
        guard error is HTTPParserError, phase == .idle || phase == .reading else {
            context.close(promise: nil)
            return
        }
        current?.ended()
        current = nil
        answer(.malformedHTTP)
    }

    func channelInactive(context: ChannelHandlerContext) {
        phase = .closing
        heldRefusal = nil
        pending = []
        socket = nil
        unsent = nil
        context.fireChannelInactive()
    }

    /// Called about once a second.
    func sweep(now: NIODeadline) {
        let configuration = loop.shared.configuration
        let limit = TimeAmount(configuration.requestTimeout)
        switch phase {
        case .reading:
            if let since = current?.receivedAt, now - since > limit { close() }
        case .idle:
            // Who has asked nothing yet has no longer for its first head.
            let isSlow = now - (headSince ?? (isNew ? quietSince : now)) > limit
            if isSlow || now - quietSince > TimeAmount(configuration.idleTimeout) { close() }
        case .closing:
            // It has not taken its last answers in that time.
            if now - quietSince > TimeAmount(configuration.idleTimeout) { close() }
        case .answering: break
        }
    }

    func closeIfIdle() { if phase == .idle, pending.isEmpty { close() } }
}

extension ConnectionHandler: TabledConnection {
    var idleSince: NIODeadline? {
        switch phase {
        case .idle: headSince ?? quietSince
        case .reading: current?.receivedAt ?? quietSince
        case .closing: quietSince
        case .answering: nil
        }
    }

    var answeringSince: NIODeadline? { phase == .answering ? current?.receivedAt : nil }

    func giveWay() { context?.close(promise: nil) }
}
