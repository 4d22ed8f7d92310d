import AloftClient
import AloftDomain
import AloftTestKit
import AloftWire
import Foundation
import Logging
import NIOCore
import NIOHPACK
import NIOHTTP2
import NIOPosix

@testable import AloftGRPC
@testable import AloftGateway

/// A gateway without models that answers over gRPC on a free port.
struct GRPCWorld: Sendable {
    let port: Int

    /// Tells on which port it listens.
    private struct ToldListener: GatewayListener {
        let inner: GRPCListener
        let ports: AsyncStream<Int>.Continuation

        var name: String { inner.name }
        var listen: ListenAddress { inner.listen }

        func serve(_ models: InferenceAccess, at socket: ListeningSocket) async throws {
            ports.yield(socket.port ?? 0)
            ports.finish()
            try await inner.serve(models, at: socket)
        }
    }

    static func run(_ body: @Sendable @escaping (GRPCWorld) async throws -> Void) async throws {
        let folder = try ServingFixtures.makeFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try JSONEncoder().encode(DesiredState(revision: 1, endpoints: []))
            .write(to: URL(fileURLWithPath: folder + "/desired-state.json"))
        let anyPort = ListenAddress(host: "127.0.0.1", port: 0)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let (ports, told) = AsyncStream.makeStream(of: Int.self)
        let listener = ToldListener(
            inner: GRPCListener(listen: anyPort, time: .live, logger: logger), ports: told)
        var configuration = GatewayConfiguration(
            listen: anyPort, folder: folder, onnxLibraryPath: try ServingFixtures.runtimePath())
        // A busy machine takes as long as it takes.
        configuration.requestTimeout = .seconds(600)
        let gateway = AloftGateway.Gateway(
            configuration: configuration,
            client: ServerClient(
                server: "http://127.0.0.1:1", token: nil, http: ServerClient.makeHTTPClient()),
            tokens: nil, python: nil, listeners: [listener], time: .live, chance: .live(),
            logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await gateway.run() }
            group.addTask { for await port in ports { try await body(GRPCWorld(port: port)) } }
            // Whichever ends first: the body, or a gateway that could not start.
            try await group.next()
            told.finish()
            group.cancelAll()
            try await group.waitForAll()
        }
    }

    func connect(window: Int = 65_535) async throws -> Caller {
        try await Caller(port: port, window: window)
    }
}

/// One connection of HTTP/2, frame by frame. For one task.
final class Caller {
    /// What was said on one stream, or on the connection.
    enum Told: Equatable, Sendable {
        case headers(HPACKHeaders, isLast: Bool)
        case data([UInt8], isLast: Bool)
        case reset(HTTP2ErrorCode)
    }

    struct Closed: Error {}

    private let channel: any Channel
    private var frames: AsyncStream<HTTP2Frame>.Iterator
    private var nextStream = 1
    /// What came for streams that were not asked about yet.
    private var waiting: [HTTP2StreamID: [Told]] = [:]

    /// - Parameter window: what the gateway may send on each stream.
    init(port: Int, window: Int) async throws {
        let (frames, told) = AsyncStream.makeStream(of: HTTP2Frame.self)
        self.frames = frames.makeAsyncIterator()
        var connection = NIOHTTP2Handler.ConnectionConfiguration()
        connection.initialSettings = [
            HTTP2Setting(parameter: .initialWindowSize, value: window)
        ]
        let configuration = connection
        channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers([
                        NIOHTTP2Handler(
                            mode: .client, connectionConfiguration: configuration,
                            streamConfiguration: .init()),
                        FrameTeller(told: told),
                    ])
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
    }

    private final class FrameTeller: ChannelInboundHandler, Sendable {
        typealias InboundIn = HTTP2Frame
        let told: AsyncStream<HTTP2Frame>.Continuation

        init(told: AsyncStream<HTTP2Frame>.Continuation) { self.told = told }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            told.yield(unwrapInboundIn(data))
        }

        func channelInactive(context: ChannelHandlerContext) { told.finish() }
        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            context.close(promise: nil)
        }
    }

    func close() async throws { try await channel.close() }

    // MARK: Say

    func begin(_ method: String, _ more: (String, String)..., isAll: Bool = false) async throws
        -> HTTP2StreamID
    {
        let stream = HTTP2StreamID(nextStream)
        nextStream += 2
        var headers = HPACKHeaders([
            (":method", "POST"), (":scheme", "http"), (":authority", "x"),
            (":path", "/inference.GRPCInferenceService/" + method),
            ("content-type", "application/grpc"), ("te", "trailers"),
        ])
        for (name, value) in more { headers.add(name: name, value: value) }
        try await send(stream, .headers(.init(headers: headers, endStream: isAll)))
        return stream
    }

    func say(_ stream: HTTP2StreamID, _ bytes: [UInt8], isAll: Bool = false) async throws {
        let data = IOData.byteBuffer(ByteBuffer(bytes: bytes))
        try await send(stream, .data(.init(data: data, endStream: isAll)))
    }

    func send(_ stream: HTTP2StreamID, _ payload: HTTP2Frame.FramePayload) async throws {
        try await channel.writeAndFlush(HTTP2Frame(streamID: stream, payload: payload))
    }

    // MARK: Hear

    /// What comes next on a stream.
    func hear(_ stream: HTTP2StreamID) async throws -> Told {
        while true {
            if var queue = waiting[stream], !queue.isEmpty {
                let first = queue.removeFirst()
                waiting[stream] = queue
                return first
            }
            try await takeFrame()
        }
    }

    /// All that came on a stream when the gateway has read what was said so far.
    func heardSoFar(_ stream: HTTP2StreamID) async throws -> [Told] {
        let mark = HTTP2PingData(withInteger: 7)
        try await send(.rootStream, .ping(mark, ack: false))
        while true {
            if case .ping(mark, ack: true) = try await takeFrame() { break }
        }
        return waiting.removeValue(forKey: stream) ?? []
    }

    /// The answer to a call of one message: its message, and what its trailers say.
    func answer(_ stream: HTTP2StreamID) async throws -> (bytes: [UInt8], trailers: HPACKHeaders) {
        var bytes: [UInt8] = []
        while true {
            switch try await hear(stream) {
            case .headers(let headers, isLast: true): return (bytes, headers)
            case .headers: continue
            case .data(let more, _): bytes += more
            case .reset: throw Closed()
            }
        }
    }

    @discardableResult
    private func takeFrame() async throws -> HTTP2Frame.FramePayload {
        guard let frame = await frames.next() else { throw Closed() }
        switch frame.payload {
        case .headers(let headers):
            waiting[frame.streamID, default: []]
                .append(.headers(headers.headers, isLast: headers.endStream))
        case .data(let data):
            guard case .byteBuffer(let buffer) = data.data else { break }
            waiting[frame.streamID, default: []]
                .append(.data(Array(buffer: buffer), isLast: data.endStream))
        case .rstStream(let code): waiting[frame.streamID, default: []].append(.reset(code))
        default: break
        }
        return frame.payload
    }
}
