import AloftEdge
import NIOCore

/// Stands before the HTTP library in a connection's pipeline. Requests for predictions in the plainest
/// form, which came whole, are answered here; all else is passed on, byte for byte.
///
/// It never keeps bytes. Of a plain head it knows where the message ends, so it passes on just that
/// message and looks at the next itself. At the first head that is not plain it stops looking, and the
/// library has the rest of the connection: nobody else then says where a message ends.
final class PlainRequestReader: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let bodyLimitBytes: Int
    private let take: (PlainRequest, ByteBuffer) -> Bool
    /// Makes the HTTP library's part of the pipeline, for most connections never.
    private var library: (() -> any ChannelHandler)?
    /// Bytes of the message that is being passed on which are still to come.
    private var passing = 0
    private var isOver = false
    /// Of what the library has, from the first message on that is not plain.
    private var lines = RequestLines()

    /// - Parameters:
    ///   - bodyLimitBytes: a longer body is the library's to read, and to refuse.
    ///   - take: answers a whole request that the bytes begin with; false where it must be passed on.
    ///   - library: is asked for the handler that stands behind this one when something is passed on
    ///     for the first time; `nil` where it stands there already.
    init(
        bodyLimitBytes: Int, take: @escaping (PlainRequest, ByteBuffer) -> Bool,
        library: (() -> any ChannelHandler)? = nil
    ) {
        self.bodyLimitBytes = bodyLimitBytes
        self.take = take
        self.library = library
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if isOver {
            guard let passed = lines.passed(unwrapInboundIn(data)) else { return }
            return context.fireChannelRead(wrapInboundOut(passed))
        }
        var bytes = unwrapInboundIn(data)
        while bytes.readableBytes > 0 {
            if passing > 0 {
                pass(&bytes, context)
            } else if let request = bytes.withUnsafeReadableBytes(PlainRequest.init),
                request.bodyBytes <= bodyLimitBytes
            {
                let whole = request.headBytes + request.bodyBytes
                if request.isPost, bytes.readableBytes >= whole, take(request, bytes) {
                    bytes.moveReaderIndex(forwardBy: whole)
                } else {
                    passing = whole
                }
            } else {
                isOver = true
                if let passed = lines.passed(bytes) { fire(passed, context) }
                return
            }
        }
    }

    private func pass(_ bytes: inout ByteBuffer, _ context: ChannelHandlerContext) {
        guard let part = bytes.readSlice(length: min(passing, bytes.readableBytes)) else { return }
        passing -= part.readableBytes
        fire(part, context)
    }

    private func fire(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        if let library {
            self.library = nil
            do {
                try context.pipeline.syncOperations.addHandler(library(), position: .after(self))
            } catch {
                return context.close(promise: nil)
            }
        }
        context.fireChannelRead(wrapInboundOut(bytes))
    }
}
