import AloftDomain
import AloftGateway
import NIOCore
import NIOHTTP2

// Graceful shutdown: ends a connection so that no call is lost, and connections that say nothing (keepalive).
//
// A client learns from a frame (GOAWAY) that it must open another connection, and begins calls until it
// has seen that. The HTTP/2 library refuses these as soon as it has sent the frame itself. So the frame
// goes out past the library, with a PING behind it; when that is answered the client knows and begins
// nothing more, and the connection is closed when all is answered.
extension GRPCConnection {
    struct Ending {
        /// To begin when the client has said something: both must have sent what HTTP/2 begins with.
        var isWanted = false
        var hasBegun = false
        /// Whether the client has been told and knows.
        var isKnown = false
        /// Whether to close with the last answer even if the client does not know.
        var isImpatient = false
        var isClosing = false
    }

    private enum Mark {
        static let end = HTTP2PingData(withInteger: 0x616c_6f66_745f_656e)
        static let alive = HTTP2PingData(withInteger: 0x616c_6f66_745f_616c)
    }

    private enum Limit {
        /// How long a client may take to close when all is answered.
        static let linger = TimeAmount.seconds(1)
        /// A client that has no call under way may say nothing for so long; then the connection ends.
        static let idle = TimeAmount.minutes(30)
        /// After so long without a word the client is asked whether it is there,
        static let silence = TimeAmount.seconds(60)
        /// and has so long to answer.
        static let pong = TimeAmount.seconds(20)
    }

    /// Whether the client has begun and may not know yet that the connection ends.
    var isUnknowing: Bool { heardAt != nil && !ending.isKnown }

    /// Tells the client: GOAWAY with the highest stream there is and no error, then PING (RFC 9113,
    /// sections 6.7 and 6.8).
    func beginEnding() {
        guard !ending.hasBegun else { return }
        ending.isWanted = heardAt == nil
        guard heardAt != nil else { return }
        ending.hasBegun = true
        sendPastLibrary(goAway: .maxID, ping: Mark.end)
        for call in Array(streams.values) { call.drain() }
    }

    func closeWhenAnswered() {
        ending.isImpatient = true
        if heardAt == nil { return close() }
        closeIfDone()
    }

    func heard(_ mark: HTTP2PingData) {
        pingedAt = nil
        guard mark == Mark.end else { return }
        ending.isKnown = true
        closeIfDone()
    }

    /// To close with unread input makes the kernel throw away what the client has not read. A client
    /// that knows of the end closes by itself as soon as it has its answers, so it gets time to.
    func closeIfDone() {
        guard ending.isKnown || ending.isImpatient, !hasCalls, !ending.isClosing else {
            return
        }
        ending.isClosing = true
        sendPastLibrary(goAway: lastStream, ping: nil)
        let bound = NIOLoopBound(self, eventLoop: loop.eventLoop)
        loop.eventLoop.scheduleTask(in: Limit.linger) { bound.value.close() }
    }

    func close() { context?.close(promise: nil) }

    var hasCalls: Bool { !calls.isEmpty || !streams.isEmpty }

    private func sendPastLibrary(goAway stream: HTTP2StreamID, ping mark: HTTP2PingData?) {
        var bytes = ByteBuffer()
        bytes.writeBytes([0, 0, 8, 7, 0, 0, 0, 0, 0])
        // traps: the library's own type, of 31 bits
        bytes.writeInteger(UInt32(truncatingIfNeeded: Int(stream)))
        bytes.writeInteger(UInt32(0))
        if let mark {
            bytes.writeBytes([0, 0, 8, 6, 0, 0, 0, 0, 0])
            _ = withUnsafeBytes(of: mark.bytes) { bytes.writeBytes($0) }
        }
        // Frames that the library holds go first: the stream's number tells what was answered.
        context?.flush()
        frames?.writeAndFlush(NIOAny(bytes), promise: nil)
    }

    // MARK: What is too slow

    /// Ends calls whose message does not come, and connections whose client is not there.
    func sweep(now: NIODeadline) {
        let limit = TimeAmount(loop.models.requestTimeout)
        guard let heardAt else {
            if now - openedAt > limit { close() }
            return
        }
        for (stream, call) in calls
        where !call.isWhole && now - call.head.facts.receivedAt > limit {
            let seconds = limit.nanoseconds / 1_000_000_000
            refuse(
                stream,
                Status(
                    .deadlineExceeded,
                    "The message did not come whole within \(seconds) seconds."),
                isWhole: false)
        }
        if let pingedAt {
            if now - pingedAt > Limit.pong { close() }
        } else if now - max(heardAt, quietSince) > Limit.silence {
            pingedAt = now
            write(.rootStream, .ping(Mark.alive, ack: false))
            context?.flush()
        }
        for call in Array(streams.values) { call.sweep(now: now, limit: limit) }
        if !hasCalls, now - quietSince > Limit.idle { beginEnding() }
    }
}
