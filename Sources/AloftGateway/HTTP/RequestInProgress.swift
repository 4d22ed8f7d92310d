import AloftDomain
import AloftEdge
import AloftInference
import AloftWire
import NIOCore
import NIOHTTP1

/// What the head of a request says, as far as it matters here. An object: each copy of a structure of so
/// many parts would cost as many counts of references.
final class RequestInProgress {
    enum Target {
        case infer(RoutedEndpoint)
        case inferVersion(name: String, version: String)
        case scoring(name: String)
        case page(String)
        case administration(String)
        /// A registered version, deployed or not.
        case registered(model: String, version: String, isScoring: Bool)
        case refused(GatewayFailure)
    }

    var target: Target
    var isKeptAlive: Bool
    var isHTTP10 = false
    var isHead = false
    var body: ByteBuffer?
    var bodyBytes = 0
    /// `Inference-Header-Content-Length`: where the JSON ends and binary tensors begin.
    var jsonLength: Int?
    /// What most requests do not have.
    private var extras: Extras?
    var expectsContinue = false
    /// How often it waited for its model to be loaded.
    var loads = 0
    var declaredBytes: Int?
    private var isChunked = false
    private(set) var receivedAt: NIODeadline
    private(set) var method: HTTPMethod
    private(set) var uri: String
    /// The table that `target` was found in.
    private(set) var tableNumber: UInt64

    init(
        head: HTTPRequestHead, table: RoutingTable, tableNumber: UInt64, now: NIODeadline,
        hosts: HostCheck
    ) {
        receivedAt = now
        method = head.method
        uri = RequestTarget.path(of: head.uri)
        self.tableNumber = tableNumber
        isKeptAlive = head.isKeepAlive
        isHTTP10 = head.version.minor == 0
        isHead = head.method == .HEAD
        if head.method == .POST, let path = table.inferPaths[uri] {
            target = .infer(path.endpoint)
        } else {
            target = Self.target(method: head.method, uri: uri, table: table)
        }
        var host = RequestOrigin.Host.missing
        for (name, value) in head.headers {
            if name.utf8.count == 4, Self.equal(name, "host") {
                host = host == .missing ? .one(value) : .several
            } else {
                take(name: name, value: value)
            }
        }
        let origin = RequestOrigin(
            method: method.rawValue, target: head.uri,
            connection: extras?.isBehindTLS == true
                ? hosts.plainConnection.behind(proto: "https") : hosts.plainConnection,
            host: host,
            origin: extras?.origin, site: extras?.site)
        if let refused = origin.refusal(isKnown: hosts.isKnown) ?? typeRefusal {
            further.refusal = .refused(refused)
        }
        if let segments = endpoint(table)?.served.segments, segments.source == "header" {
            further.segment = head.headers.first(name: segments.name)
        }
    }

    /// A request for predictions whose head was plain, without the headers that not every one has.
    init(plain path: RoutingTable.InferPath, tableNumber: UInt64, bodyBytes: Int) {
        receivedAt = .now()
        method = .POST
        uri = path.text
        self.tableNumber = tableNumber
        isKeptAlive = true
        target = .infer(path.endpoint)
        declaredBytes = bodyBytes
        self.bodyBytes = bodyBytes
    }

    /// The next plain request of the connection, in the same memory.
    ///
    /// - Returns: false where another is needed, since the last one was not so plain.
    func isNext(
        plain path: RoutingTable.InferPath, tableNumber: UInt64, bodyBytes: Int
    ) -> Bool {
        guard isOnlyPlain else { return false }
        receivedAt = .now()
        uri = path.text
        self.tableNumber = tableNumber
        isKeptAlive = true
        target = .infer(path.endpoint)
        loads = 0
        declaredBytes = bodyBytes
        self.bodyBytes = bodyBytes
        return true
    }

    /// Whether nothing but what a plain head says was ever set.
    private var isOnlyPlain: Bool {
        extras == nil && jsonLength == nil && method == .POST && !isHTTP10 && !isHead
            && !expectsContinue && !isChunked
    }

    /// It is answered: lets go of its body and its endpoint, which may be unloaded while the connection
    /// is quiet.
    func ended() {
        body = nil
        target = .page("")
    }

    private func endpoint(_ table: RoutingTable) -> RoutedEndpoint? {
        switch target {
        case .infer(let endpoint): endpoint
        case .scoring(let name): table.endpoints[name]
        case .inferVersion, .registered, .page, .administration, .refused: nil
        }
    }

    /// The endpoint that it asks, where it asks one.
    var endpointName: String? {
        switch target {
        case .infer(let endpoint): endpoint.served.name
        case .inferVersion(let name, _), .scoring(let name): name
        case .registered, .page, .administration, .refused: nil
        }
    }

    /// Whether a body comes, by what the head says.
    var hasBody: Bool { isChunked || (declaredBytes ?? 0) > 0 }

    /// Looks at a header only if its name has the length of one that matters.
    func take(name: String, value: String) {
        switch name.utf8.count {
        case 6 where Self.equal(name, "expect"):
            expectsContinue = value.lowercased() == "100-continue"
        case 6 where Self.equal(name, "origin"): further.origin = value
        case 11 where Self.equal(name, "traceparent"): further.trace = TraceParent(value)
        case 12 where Self.equal(name, "content-type"): further.contentType = value
        case 13 where Self.equal(name, "authorization"): further.token = Self.bearer(value)
        // traps: a text is parsed, to nil where it is no number
        case 14 where Self.equal(name, "content-length"): declaredBytes = Int(value)
        case 14 where Self.equal(name, "sec-fetch-site"): further.site = value
        case 16 where Self.equal(name, "content-encoding"):
            guard let isCompressed = CompressedBody.isCompressed(value) else {
                target = .refused(
                    .badHeader(
                        name: "Content-Encoding", value: value,
                        expected: "gzip or deflate, or none"))
                return
            }
            if isCompressed { further.isCompressed = true }
        case 17 where Self.equal(name, "transfer-encoding"): isChunked = true
        case 17 where Self.equal(name, "x-forwarded-proto"):
            if ForwardedProto.namesSecure(value) { further.isBehindTLS = true }
        case 17 where Self.equal(name, "x-request-timeout"):
            guard let milliseconds = Self.milliseconds(value) else {
                target = .refused(
                    .badHeader(
                        name: "X-Request-Timeout", value: value,
                        expected: "a time such as 250ms or 2s, more than none"))
                return
            }
            further.timeoutMilliseconds = milliseconds
        case 18 where Self.equal(name, "x-request-priority"):
            guard let named = RequestPriority(name: value) else {
                target = .refused(
                    .badHeader(
                        name: "X-Request-Priority", value: value, expected: "high, normal or low"))
                return
            }
            further.priority = named
        case 18 where Self.equal(name, "x-aloft-sticky-key"): further.stickyKey = value
        case 31 where Self.equal(name, "inference-header-content-length"):
            guard let length = Int(value), length >= 0 else {
                target = .refused(
                    .badHeader(name: name, value: value, expected: "a number of bytes"))
                return
            }
            jsonLength = length
        default: break
        }
    }

    /// Whether `name` is this word but for the case of its letters.
    private static func equal(_ name: String, _ word: StaticString) -> Bool {
        var index = 0
        for byte in name.utf8 {
            let lower = byte &- 65 < 26 ? byte | 0x20 : byte
            guard lower == word.utf8Start[index] else { return false }
            index += 1
        }
        return true
    }

    private static func bearer(_ value: String) -> String? {
        let words = value.pieces(at: " ", most: 2)
        guard words.count == 2, words[0].lowercased() == "bearer" else { return nil }
        return String(words[1])
    }

    /// `250ms`, `1.5s` or a bare number of seconds.
    static func milliseconds(_ text: String) -> Int? {
        let (digits, factor): (Substring, Double) =
            text.ends(with: "ms")
            ? (text.dropLast(2), 1)
            : text.ends(with: "s") ? (text.dropLast(), 1000) : (text[...], 1000)
        guard let value = Double(digits), value > 0, value * factor <= 86_400_000 else {
            return nil
        }
        return max(1, Int(exactly: (value * factor).rounded(.down)) ?? 1)
    }
}

// MARK: What some requests have

extension RequestInProgress {
    /// Written only while the head is read, and when something is found out about its body.
    private final class Extras {
        var timeoutMilliseconds: Int?
        var priority = RequestPriority.normal
        var token: String?
        var contentType = ""
        var stickyKey: String?
        var trace: TraceParent?
        var segment: String?
        var origin: String?
        var site: String?
        /// A proxy in front says that it was reached by TLS.
        var isBehindTLS = false
        var refusal: GatewayFailure?
        var isSegmentKnown = false
        var isCompressed = false
        var tensorLimitBytes = Int.max
    }

    private var further: Extras {
        if let extras { return extras }
        let made = Extras()
        extras = made
        return made
    }

    /// `X-Request-Timeout`, in milliseconds.
    var timeoutMilliseconds: Int? { extras?.timeoutMilliseconds }
    /// `X-Request-Priority`.
    var priority: RequestPriority { extras?.priority ?? .normal }
    var token: String? { extras?.token }
    var contentType: String { extras?.contentType ?? "" }
    var stickyKey: String? { extras?.stickyKey }
    var trace: TraceParent? { extras?.trace }
    /// Why its head alone refuses it.
    var refusal: GatewayFailure? { extras?.refusal }
    /// The segment that a header says, where the endpoint asks one.
    var segment: String? { extras?.segment }
    /// Whether it was looked for in a large body already.
    var isSegmentKnown: Bool { extras?.isSegmentKnown ?? false }

    /// Whether its body is still as it came, compressed.
    var isCompressed: Bool { (extras?.isCompressed ?? false) && bodyBytes > 0 }
    /// What its tensors may take.
    var tensorLimitBytes: Int { extras?.tensorLimitBytes ?? .max }

    func inflated(_ body: ByteBuffer) {
        further.isCompressed = false
        further.tensorLimitBytes = CompressedBody.tensorLimit(
            compressedBytes: bodyBytes, body: body)
        self.body = body
        bodyBytes = body.readableBytes
    }

    func found(segment: String?) {
        further.segment = segment
        further.isSegmentKnown = true
    }
}

// MARK: Types of bodies

extension RequestInProgress {
    /// Predictions come in many types, and from programs that name none; but never in one that a page
    /// sends unasked (`AcceptedTypes`). Of those, curl and Python's urllib say that their bodies are forms
    /// where they are told nothing else. A form of a page is no JSON, and what a script of a page sends
    /// comes with its origin.
    private var typeRefusal: RequestRefusal? {
        guard hasBody, let type = extras?.contentType, !type.isEmpty else { return nil }
        let essence = AcceptedTypes.essence(type)
        switch target {
        case .infer, .inferVersion, .scoring, .registered:
            let isOfProgram = extras?.origin == nil && extras?.site == nil
            if essence == "application/x-www-form-urlencoded", isOfProgram { return nil }
            return AcceptedTypes.isSentUnasked(essence)
                ? .wrongType(type, expected: "Content-Type: application/json") : nil
        case .administration: return AcceptedTypes.json.refusal(type: type)
        case .page, .refused: return nil
        }
    }
}

// MARK: Routes

extension RequestInProgress {
    private static func target(
        method: HTTPMethod, uri: String, table: RoutingTable
    ) -> Target {
        let path = uri.pieces(at: "?", most: 2, keepingEmpty: true)[0]
        let segments = path.pieces(at: "/").map(decoded)
        switch (segments.first, segments.count) {
        case ("v2", 4) where segments[1] == "models" && segments[3] == "infer":
            guard method == .POST else { return .refused(.methodNotAllowed(allowed: "POST")) }
            return table.endpoints[segments[2]].map(Target.infer)
                ?? .refused(
                    .endpointNotFound(name: segments[2], known: table.endpoints.keys.sorted()))
        case ("v2", 6)
        where segments[1] == "models" && segments[3] == "versions" && segments[5] == "infer":
            guard method == .POST else { return .refused(.methodNotAllowed(allowed: "POST")) }
            return .inferVersion(name: segments[2], version: segments[4])
        case ("v2", _) where segments.count > 1 && segments[1] == "repository":
            guard method == .POST else { return .refused(.methodNotAllowed(allowed: "POST")) }
            return .administration("/" + segments.joined(separator: "/"))
        case ("registry", 5)
        where segments[2] == "versions" && ["infer", "invocations"].contains(segments[4]):
            guard method == .POST else { return .refused(.methodNotAllowed(allowed: "POST")) }
            return .registered(
                model: segments[1], version: segments[3], isScoring: segments[4] == "invocations")
        case ("deployments", 3) where segments[2] == "invocations":
            guard method == .POST else { return .refused(.methodNotAllowed(allowed: "POST")) }
            return .scoring(name: segments[1])
        default:
            guard method == .GET || method == .HEAD else {
                return .refused(.noSuchRoute(path: shortened(path)))
            }
            return .page("/" + segments.joined(separator: "/"))
        }
    }

    private static func shortened(_ text: Substring) -> String { String(text.prefix(200)) }

    /// Percent-decoding; what is no valid text stays as it is.
    private static func decoded(_ segment: Substring) -> String {
        guard segment.utf8.contains(UInt8(ascii: "%")) else { return String(segment) }
        var bytes: [UInt8] = []
        var rest = segment.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%"), rest.count >= 2,
                let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            else {
                bytes.append(byte)
                continue
            }
            rest = rest.dropFirst(2)
            bytes.append(value)
        }
        return String(validating: bytes, as: UTF8.self) ?? String(segment)
    }
}
