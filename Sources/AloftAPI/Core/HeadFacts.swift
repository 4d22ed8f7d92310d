import AloftEdge
import HTTPTypes

/// What the middlewares want to know of a request's headers, found in one pass: each search by name costs
/// as much as all of this.
struct HeadFacts: Sendable {
    var origin: String?
    /// `Sec-Fetch-Site`.
    var site: String?
    /// `X-Forwarded-Proto`.
    var proto: String?
    var contentType: String?
    /// What the library leaves among the headers where there is more than one `Host`.
    var hasFurtherHost = false
    /// The host that the request line named; see `TargetHost`.
    var targetHost: String?
    var body = ComingBody.nothing
    /// Whether a token or a cookie may be among them.
    var hasSecret = false

    init(_ headers: HTTPFields) {
        var length: String?
        var isChunked = false
        for field in headers {
            switch field.name.canonicalName {
            case "content-type": contentType = Self.joined(contentType, field.value)
            case "content-length": length = Self.joined(length, field.value)
            case "authorization", "cookie": hasSecret = true
            case "origin": origin = Self.joined(origin, field.value)
            case "x-forwarded-proto": proto = Self.joined(proto, field.value)
            case "sec-fetch-site": site = Self.joined(site, field.value)
            case "host": hasFurtherHost = true
            case "transfer-encoding": isChunked = true
            case TargetHost.header: targetHost = Self.joined(targetHost, field.value)
            default: break
            }
        }
        body = ComingBody(length: length, isChunked: isChunked)
    }

    /// Several fields of one name are one list (RFC 9110, section 5.3).
    private static func joined(_ before: String?, _ value: String) -> String {
        before.map { "\($0), \(value)" } ?? value
    }
}

/// The body of a request as its head tells it.
enum ComingBody: Equatable {
    case nothing
    case bytes(Int)
    /// It ends when it ends.
    case chunked

    /// By RFC 9112, section 6.3.
    init(length: String?, isChunked: Bool) {
        switch length {
        case nil: self = isChunked ? .chunked : .nothing
        case "0"?: self = .nothing
        case let text?: self = Int(text).map(ComingBody.bytes) ?? .chunked
        }
    }
}
