import AloftDomain
import AloftEdge
import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

@testable import AloftGateway

/// The reader of plain requests beside the HTTP library: whatever comes, in whatever pieces, both see
/// the same messages.
@Suite struct PlainRequestTests {
    @Test(arguments: 0..<300)
    func `with and without the plain reader the messages are the same`(seed: Int) throws {
        var chance = SplitMix64(seed: UInt64(seed) &* 7919 &+ 17)
        for _ in 0..<10 {
            let stream = HostileStream.make(&chance)
            let pieces = HostileStream.pieces(stream, &chance)
            let plain = Reading(hasPlainReader: true, seed: chance.next())
            let library = Reading(hasPlainReader: false, seed: 0)
            for piece in pieces {
                plain.feed(piece)
                library.feed(piece)
            }
            plain.end()
            library.end()
            let text = String(decoding: stream, as: UTF8.self)
            #expect(
                plain.recorder.seen == library.recorder.seen,
                "seed \(seed): \(text.debugDescription)")
        }
    }

    @Test func `the streams that are compared hold plain requests, others and faults`() {
        var counts = (plain: 0, messages: 0, faults: 0)
        for seed in 0..<300 {
            var chance = SplitMix64(seed: UInt64(seed))
            let reading = Reading(hasPlainReader: true, seed: chance.next())
            let stream = HostileStream.make(&chance)
            for piece in HostileStream.pieces(stream, &chance) { reading.feed(piece) }
            reading.end()
            counts.plain += reading.recorder.takenPlain
            counts.messages += reading.recorder.seen.count { $0 != .fault }
            counts.faults += reading.recorder.seen.count { $0 == .fault }
        }
        #expect(counts.plain > 10 && counts.messages > counts.plain + 10 && counts.faults > 10)
    }

    @Test func `plain requests do not go by way of the library`() throws {
        let reading = Reading(hasPlainReader: true, seed: nil)
        let body = "{}"
        let request =
            "POST /v2/models/demo/infer HTTP/1.1\r\nHost: x\r\nConnection: Keep-Alive\r\n"
            + "Content-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
        reading.feed(Array((request + request).utf8))
        // A request in pieces goes by way of the library, and the next is looked at again.
        reading.feed(Array(request.utf8.dropLast(1)))
        reading.feed(Array("}".utf8))
        reading.feed(Array(request.utf8))
        #expect(reading.recorder.takenPlain == 3)
        #expect(reading.recorder.seen.count == 4)
        // So does all that follows on what is not plain.
        reading.feed(Array("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n".utf8))
        reading.feed(Array(request.utf8))
        #expect(reading.recorder.takenPlain == 3)
        #expect(reading.recorder.seen.count == 6)
    }

    @Test(arguments: [
        "Transfer-Encoding: chunked", "Content-Length: 2\r\nContent-Length: 2",
        "Content-Length: +2", "Content-Length: 2, 2", "Content-Length: 0x2", "Content-Length:",
        "Content-Length : 2", "Expect: 100-continue", "Connection: close",
        "Connection: keep-alive, close", "Connection: keep-alive\r\nConnection: keep-alive",
        "Upgrade: h2c", "Trailer: x", "X: a\r\n b", "X: a\rb", "X: a\nb", "X: \u{1}", "X: a ",
        "X:\ta", "X\u{e9}: a", "X: \u{e9}", ": a", "X y: a", "no colon",
        "Proxy-Connection: close", "Host: y", "Origin: http://x", "Sec-Fetch-Site: none",
        "Content-Type: text/plain", "Content-Type: application/x-www-form-urlencoded",
    ])
    func `what could be read in two ways is not plain`(lines: String) {
        let text = "POST /p HTTP/1.1\r\nHost: x\r\n\(lines)\r\n\r\n"
        #expect(Array(text.utf8).withUnsafeBytes { PlainRequest($0) } == nil)
    }

    @Test func `every beginning of a plain head is not yet one`() {
        let text = Array("POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 12\r\n\r\n".utf8)
        for count in 0..<text.count {
            #expect(text[..<count].withUnsafeBytes { PlainRequest($0) } == nil)
        }
        let read = text.withUnsafeBytes { PlainRequest($0) }
        #expect(read?.headBytes == text.count)
        #expect(read?.bodyBytes == 12)
    }
}

/// One connection's pipeline, and what it made of the bytes.
private final class Reading {
    let recorder = Recorder()
    private let channel = EmbeddedChannel()

    /// - Parameter seed: of the chance by which requests are passed on although they are plain; `nil`
    ///   takes them all.
    init(hasPlainReader: Bool, seed: UInt64?) {
        let operations = channel.pipeline.syncOperations
        if hasPlainReader {
            recorder.chance = seed.map { SplitMix64(seed: $0) }
            let reader = PlainRequestReader(bodyLimitBytes: 1000, take: recorder.take)
            #expect(throws: Never.self) { try operations.addHandler(reader) }
        }
        if !hasPlainReader {
            #expect(throws: Never.self) { try operations.addHandler(RequestLineGuard()) }
        }
        let decoder = HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes)
        #expect(throws: Never.self) {
            try operations.addHandlers([ByteToMessageHandler(decoder), recorder])
        }
    }

    func feed(_ bytes: [UInt8]) {
        channel.pipeline.fireChannelRead(ByteBuffer(bytes: bytes))
        channel.pipeline.fireChannelReadComplete()
    }

    func end() {
        channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        _ = try? channel.finish(acceptAlreadyClosed: true)
    }
}

/// Writes down the messages of a connection until its first fault, as the gateway does.
private final class Recorder: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart

    enum Seen: Equatable {
        case message(
            method: String, uri: String, headers: [String], isKeptAlive: Bool, body: [UInt8])
        case fault
    }

    var seen: [Seen] = []
    var takenPlain = 0
    var chance: SplitMix64?
    private var head: HTTPRequestHead?
    private var body: [UInt8] = []
    private var isClosed = false

    func take(_ plain: PlainRequest, _ bytes: ByteBuffer) -> Bool {
        #expect(isClosed || head == nil, "a message begins within another")
        if isClosed { return false }
        if chance != nil, chance?.next().isMultiple(of: 3) ?? false { return false }
        takenPlain += 1
        bytes.withUnsafeReadableBytes { bytes in
            var headers: [String] = []
            plain.forEachHeader(bytes) { headers.append("\($0): \($1)") }
            seen.append(
                .message(
                    method: "POST", uri: String(decoding: bytes[plain.target], as: UTF8.self),
                    headers: headers, isKeptAlive: true,
                    body: Array(bytes[plain.headBytes..<plain.headBytes + plain.bodyBytes])))
        }
        return true
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isClosed else { return }
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            body = []
        case .body(let bytes): body += Array(bytes.readableBytesView)
        case .end:
            guard let head else { return }
            seen.append(
                .message(
                    method: head.method.rawValue, uri: head.uri,
                    headers: head.headers.map { "\($0.name): \($0.value)" },
                    isKeptAlive: head.isKeepAlive, body: body))
            self.head = nil
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if !isClosed { seen.append(.fault) }
        isClosed = true
    }
}

/// Bytes that a client might send, good and bad.
private enum HostileStream {
    private static let methods = [
        "POST", "POST", "POST", "GET", "HEAD", "PUT", "post", "PO ST", "",
    ]
    private static let targets = [
        "/v2/models/demo/infer", "/", "/a?b=c", "/%2e%2e/", "*", "http://h/p", "/a b", "/\u{e9}",
        "/\"", "/#f", "",
    ]
    private static let versions = ["1.1", "1.1", "1.1", "1.1", "1.0", "2.0", "1.2", "1"]
    private static let lines = [
        "Host: x", "Accept: */*", "User-Agent: a b", "X-Empty:", "x:y", "X: a, b ; \"c\"",
        "Connection: keep-alive", "Connection: close", "connection: Upgrade",
        "Expect: 100-continue",
        "Transfer-Encoding: chunked", "transfer-encoding: identity",
        "Transfer-Encoding: chunked, x",
        "Content-Length: 5", "Content-Length: 005", "content-length: 3, 3", "Content-Length: -1",
        "Content-Length: 99999999999999999999", "Content-Length : 4", "Content-Length:\t4",
        "X-Request-Timeout: 1s", "Authorization: Bearer t", "traceparent: 00-x", " folded",
        "\tfolded",
        "X: trailing ", "X:  two", "X: \u{7f}", "X: a\u{0}b", "X: a\rb", "X: \u{e9}", ": none",
        "no colon", "Upgrade: h2c", "Trailer: T", "X\u{0b}: a", "(x): y", "Content-Encoding: gzip",
    ]
    private static let ends = [
        "\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\n", "\r", "\r\r\n",
    ]

    static func make(_ chance: inout SplitMix64) -> [UInt8] {
        var bytes: [UInt8] = []
        for _ in 0..<Int.random(in: 1...4, using: &chance) {
            bytes += message(&chance)
        }
        // Often only good messages; else a few bytes are others.
        if Int.random(in: 0..<3, using: &chance) == 0 {
            for _ in 0..<Int.random(in: 1...3, using: &chance) where !bytes.isEmpty {
                let place = Int.random(in: 0..<bytes.count, using: &chance)
                switch Int.random(in: 0..<3, using: &chance) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &chance)
                case 1: bytes.remove(at: place)
                default: bytes.insert(UInt8.random(in: 0...255, using: &chance), at: place)
                }
            }
        }
        return bytes
    }

    private static func pick(_ list: [String], odd: Bool, _ chance: inout SplitMix64) -> String {
        odd ? list[Int.random(in: 0..<list.count, using: &chance)] : list[0]
    }

    private static func message(_ chance: inout SplitMix64) -> [UInt8] {
        func odd(_ one: Int, _ chance: inout SplitMix64) -> Bool {
            Int.random(in: 0..<one, using: &chance) == 0
        }
        let end = pick(ends, odd: odd(12, &chance), &chance)
        var text = pick(methods, odd: odd(4, &chance), &chance) + " "
        text += pick(targets, odd: odd(4, &chance), &chance) + " HTTP/"
        text += pick(versions, odd: odd(8, &chance), &chance) + end
        let body = String(
            repeating: "b", count: Int.random(in: 0...(odd(6, &chance) ? 1500 : 40), using: &chance)
        )
        if !odd(6, &chance) { text += "Host: x\r\n" }
        for _ in 0..<Int.random(in: 0...4, using: &chance) {
            let line =
                odd(4, &chance)
                ? pick(lines, odd: true, &chance) : lines[Int.random(in: 1...5, using: &chance)]
            text += line + pick(ends, odd: odd(20, &chance), &chance)
        }
        if !odd(6, &chance) { text += "Content-Length: \(body.utf8.count)\r\n" }
        if odd(10, &chance) { text += "Content-Length: \(body.utf8.count)\r\n" }
        text += end
        return Array((text + (odd(10, &chance) ? "" : body)).utf8)
    }

    static func pieces(_ bytes: [UInt8], _ chance: inout SplitMix64) -> [[UInt8]] {
        var pieces: [[UInt8]] = []
        var rest = bytes[...]
        let isWhole = Bool.random(using: &chance)
        while !rest.isEmpty {
            let most = isWhole ? rest.count : min(rest.count, 60)
            let count = isWhole ? most : Int.random(in: 1...most, using: &chance)
            pieces.append(Array(rest.prefix(count)))
            rest = rest.dropFirst(count)
        }
        return pieces
    }
}
