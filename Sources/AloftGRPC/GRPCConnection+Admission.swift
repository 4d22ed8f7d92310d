import AloftDomain
import AloftEdge
import AloftGateway
import NIOCore
import NIOHTTP2

// Keeps strangers from making the gateway hold their messages.
extension GRPCConnection {
    /// Whether a call may send a message of any length.
    enum Admission: Equatable {
        /// Nobody was asked: the message came whole at once, or the caller is known.
        case open
        /// The server is being asked for the caller's token; what the first window has room for may come.
        case asked
    }

    /// So much of each connection does not count in the budget of all.
    private static let freeBytes = 64 << 10

    /// Brings the budget of all bodies in line with `bufferedBytes`.
    func count(from before: Int) {
        let counted = max(0, before - Self.freeBytes)
        let now = max(0, bufferedBytes - Self.freeBytes)
        if now > counted {
            loop.models.bodies.hold(now - counted)
        } else if now < counted {
            loop.models.bodies.give(counted - now)
        }
    }

    /// Whether the bodies of all callers take more than they may, these among them.
    var isOverBudget: Bool { bufferedBytes > Self.freeBytes && loop.models.bodies.isOver }

    var tooMuchHeld: Status {
        Status(
            .unavailable,
            "The messages that are being read take all the memory that they may. Try again in a moment."
        )
    }

    /// Looks at the token of a call whose message goes on after its first bytes. Until the server has
    /// answered the caller may send no more than its first window.
    func verify(_ stream: HTTP2StreamID) {
        guard loop.models.asksForTokens, let call = calls[stream], call.admission == .open,
            !call.isVerified, !call.head.method.isPublic
        else { return }
        calls[stream]?.admission = .asked
        let models = loop.models
        let (token, place) = (call.head.facts.token, call.head.facts.place)
        let bound = NIOLoopBound(self, eventLoop: loop.eventLoop)
        let eventLoop = loop.eventLoop
        Task {
            do throws(CallRefusal) {
                try await models.authorize(token, from: place)
                eventLoop.execute { bound.value.isAdmitted(stream) }
            } catch {
                eventLoop.execute { bound.value.isRefused(stream, Status(error)) }
            }
        }
    }

    private func isAdmitted(_ stream: HTTP2StreamID) {
        guard let call = calls[stream] else { return }
        calls[stream]?.admission = .open
        calls[stream]?.isVerified = true
        if let left = call.windowLeft, !call.isWhole { renewWindow(stream, left: left) }
    }

    /// A call that came whole meanwhile is refused where it is answered.
    private func isRefused(_ stream: HTTP2StreamID, _ status: Status) {
        guard let call = calls[stream], !call.isWhole else { return }
        refuse(stream, status, isWhole: false)
    }
}

extension GRPCConnection: TabledConnection {
    var idleSince: NIODeadline? { hasCalls ? nil : max(openedAt, quietSince) }
    var answeringSince: NIODeadline? { hasCalls ? heardAt : nil }
    func giveWay() { close() }
}
