import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

@testable import AloftEdge

/// How long a connection of the control plane may take, on the event loop's own clock.
@Suite struct HTTPConnectionLimitsTests {
    /// A connection as the server has it, without what answers.
    private final class Connection {
        let channel = EmbeddedChannel()
        let table: ConnectionTable
        private let answers = Answers()

        init(holdsBack: Bool = false) throws {
            table = ConnectionTable(
                eventLoop: channel.eventLoop, limit: DescriptorLimit(count: 1000),
                sweepInterval: .seconds(1))
            answers.holdsBack = holdsBack
            let reader = HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes)
            try channel.pipeline.syncOperations.addHandlers([
                ByteToMessageHandler(reader),
                HTTPConnectionLimits(table: table, now: channel.eventLoop.now), answers,
            ])
            try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
            channel.read()
        }

        func send(_ text: String) throws {
            try channel.writeInbound(ByteBuffer(string: text))
            // A channel with a socket asks for more by itself.
            if isOpen { channel.read() }
        }

        func answer(_ status: HTTPResponseStatus = .ok) throws {
            let head = HTTPResponseHead(version: .http1_1, status: status)
            channel.pipeline.write(HTTPServerResponsePart.head(head), promise: nil)
            channel.pipeline.writeAndFlush(HTTPServerResponsePart.end(nil), promise: nil)
        }

        func pass(_ seconds: Int64) { channel.embeddedEventLoop.advanceTime(by: .seconds(seconds)) }

        var isOpen: Bool { channel.isActive }
    }

    /// What stands behind the limits; may leave reading to later, as a server does that is behind.
    private final class Answers: ChannelDuplexHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundIn = HTTPServerResponsePart
        var holdsBack = false
        func channelRead(context: ChannelHandlerContext, data: NIOAny) {}
        func read(context: ChannelHandlerContext) { if !holdsBack { context.read() } }
    }

    private static let head = "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n"

    @Test func `a head that comes a byte a second is ended after half a minute`() throws {
        let connection = try Connection()
        try connection.send("GET / HTTP/1.1\r\nA: ")
        for _ in 0..<28 {
            connection.pass(1)
            try connection.send("a")
        }
        #expect(connection.isOpen)
        connection.pass(3)
        #expect(!connection.isOpen)
    }

    @Test func `a body must go on`() throws {
        let connection = try Connection()
        try connection.send(Self.head + "{")
        connection.pass(38)
        #expect(connection.isOpen)
        connection.pass(4)
        #expect(!connection.isOpen)
    }

    @Test func `a body of a byte a second does not hold on`() throws {
        let connection = try Connection()
        try connection.send(Self.head)
        for _ in 0..<42 {
            connection.pass(1)
            if connection.isOpen { try connection.send("x") }
        }
        #expect(!connection.isOpen)
    }

    @Test func `a body that keeps its rate may take long`() throws {
        let connection = try Connection()
        try connection.send(
            "PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n")
        for _ in 0..<100 {
            connection.pass(10)
            try connection.send(String(repeating: "x", count: 40_000))
        }
        #expect(connection.isOpen)
    }

    @Test func `a server that is behind does not blame the client`() throws {
        let connection = try Connection(holdsBack: true)
        try connection.send(Self.head + "{")
        connection.pass(600)
        #expect(connection.isOpen)
    }

    @Test func `an idle connection ends after two minutes`() throws {
        let silent = try Connection()
        let answered = try Connection()
        try answered.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        try answered.answer()
        for connection in [silent, answered] {
            connection.pass(118)
            #expect(connection.isOpen)
            connection.pass(4)
            #expect(!connection.isOpen)
            #expect(connection.table.count == 0)
        }
    }

    @Test func `what is being answered may take as long as it likes`() throws {
        let connection = try Connection()
        try connection.send("GET /api/v1/events/stream HTTP/1.1\r\nHost: x\r\n\r\n")
        connection.pass(100_000)
        #expect(connection.isOpen)
        try connection.answer()
        connection.pass(122)
        #expect(!connection.isOpen)
    }

    @Test func `a stranger's body is not waited for`() throws {
        let connection = try Connection()
        try connection.send(Self.head + "{")
        try connection.answer(.unauthorized)
        guard
            case .head(let head) = try connection.channel.readOutbound(
                as: HTTPServerResponsePart.self)
        else {
            Issue.record("no answer")
            return
        }
        #expect(head.headers["connection"] == ["close"])
        #expect(connection.isOpen)
        connection.pass(6)
        #expect(!connection.isOpen)
    }

    @Test func `a refused request that is whole is closed behind its answer`() throws {
        let connection = try Connection()
        try connection.send("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{")
        try connection.answer(.forbidden)
        #expect(connection.isOpen)
        try connection.send("}")
        #expect(!connection.isOpen)
    }

    @Test func `without a body a refused caller may ask again`() throws {
        let connection = try Connection()
        try connection.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n")
        try connection.answer(.unauthorized)
        connection.pass(10)
        #expect(connection.isOpen)
    }
}
