import AloftDomain
import AloftGateway
import NIOCore
import NIOHPACK
import NIOHTTP2

/// The answer to a call: its message, and what is said beside it.
struct Reply {
    let message: ByteBuffer
    /// Of a prediction.
    var facts: CallAnswer?

    init(_ message: ByteBuffer) { self.message = message }

    init(_ answer: CallAnswer) {
        message = answer.message
        facts = answer
    }
}

extension GRPCConnection {
    private static let head: HPACKHeaders = [
        ":status": "200", "content-type": "application/grpc",
    ]
    private static let success: HPACKHeaders = ["grpc-status": "0"]
    /// A message up to so many bytes is copied behind its prefix; a longer one gets a frame of its own.
    private static let copiedBytes = 64 << 10

    /// Sends the answer, unless the caller is gone.
    func finish(_ stream: HTTP2StreamID, _ result: Result<Reply, Status>) {
        guard calls[stream] != nil, let context else { return }
        switch result {
        case .success(let reply): succeed(stream, reply)
        case .failure(let status): write(stream, trailersOnly(status))
        }
        context.flush()
        ended(stream)
    }

    /// Ends a call that is not being answered.
    ///
    /// - Parameter isWhole: whether the caller has said all; otherwise it is told to say no more.
    func refuse(_ stream: HTTP2StreamID, _ status: Status, isWhole: Bool) {
        write(stream, trailersOnly(status))
        if !isWhole { write(stream, .rstStream(.noError)) }
        context?.flush()
        ended(stream)
    }

    /// - Parameter promise: kept when it is sent, or cannot be.
    func write(
        _ stream: HTTP2StreamID, _ payload: HTTP2Frame.FramePayload,
        promise: EventLoopPromise<Void>? = nil
    ) {
        guard let context else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        context.write(
            wrapOutboundOut(HTTP2Frame(streamID: stream, payload: payload)), promise: promise)
    }

    func reset(_ stream: HTTP2StreamID, _ code: HTTP2ErrorCode) {
        write(stream, .rstStream(code))
        context?.flush()
    }

    /// What an answer of any number of messages begins with.
    func writeHead(_ stream: HTTP2StreamID) { write(stream, .headers(.init(headers: Self.head))) }

    /// What it ends with.
    ///
    /// - Parameters:
    ///   - status: `nil` for a good end.
    ///   - hasHead: whether it has begun.
    func trailers(_ status: Status?, hasHead: Bool) -> HTTP2Frame.FramePayload {
        guard let status else {
            var headers = hasHead ? [:] : Self.head
            headers.add(contentsOf: Self.success)
            return .headers(.init(headers: headers, endStream: true))
        }
        return .headers(
            .init(headers: Self.trailers(status, after: hasHead ? [:] : Self.head), endStream: true)
        )
    }

    private func succeed(_ stream: HTTP2StreamID, _ reply: Reply) {
        var headers = Self.head
        if let facts = reply.facts {
            // Each is new: a place in the table of headers would be lost on it.
            headers.add(
                name: "x-aloft-prediction-id", value: facts.predictionID, indexing: .nonIndexable)
            headers.add(name: "x-aloft-revision", value: "\(facts.revision)")
            if let trace = facts.traceParent {
                headers.add(name: "traceparent", value: trace, indexing: .nonIndexable)
            }
        }
        write(stream, .headers(.init(headers: headers)))
        let count = reply.message.readableBytes
        var bytes = ByteBuffer()
        bytes.reserveCapacity(5 + (count <= Self.copiedBytes ? count : 0))
        bytes.writeInteger(UInt8(0))
        bytes.writeInteger(UInt32(truncatingIfNeeded: count))
        if count <= Self.copiedBytes {
            bytes.writeImmutableBuffer(reply.message)
            write(stream, .data(.init(data: .byteBuffer(bytes))))
        } else {
            write(stream, .data(.init(data: .byteBuffer(bytes))))
            write(stream, .data(.init(data: .byteBuffer(reply.message))))
        }
        write(stream, .headers(.init(headers: Self.success, endStream: true)))
    }

    private func trailersOnly(_ status: Status) -> HTTP2Frame.FramePayload {
        .headers(.init(headers: Self.trailers(status, after: Self.head), endStream: true))
    }

    private static func trailers(_ status: Status, after head: HPACKHeaders) -> HPACKHeaders {
        var headers = head
        headers.add(name: "grpc-status", value: "\(status.code.rawValue)")
        headers.add(
            name: "grpc-message", value: status.encodedMessage, indexing: .nonIndexable)
        if status.code == .unimplemented {
            headers.add(name: "grpc-accept-encoding", value: "identity,deflate,gzip")
        }
        if let code = status.ownCode { headers.add(name: "aloft-error-code", value: code) }
        if let id = status.predictionID {
            headers.add(name: "x-aloft-prediction-id", value: id, indexing: .nonIndexable)
        }
        return headers
    }
}
