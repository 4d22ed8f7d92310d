import AloftDomain
import AloftEdge
import AloftGateway
import NIOCore
import NIOHPACK

/// What a call's headers say.
struct CallHead {
    let method: InferenceMethod
    let facts: CallFacts
    /// Whether its messages may come compressed.
    let isCompressed: Bool

    /// - Throws: `Status` where the call cannot be answered.
    ///
    /// `:authority` is not looked at. No page can make a browser speak HTTP/2 without TLS, nor send the
    /// type `application/grpc` unasked, so there is nobody to keep out by it; and clients name there what
    /// their own name service says.
    init(
        _ headers: HPACKHeaders, receivedAt: NIODeadline, place: RemoteAddress?
    ) throws(Status) {
        var path = "", contentType = "", encoding = "identity"
        var timeout: String?, authorization: String?, stickyKey: String?, trace: String?
        for (name, value, _) in headers {
            switch name {
            case ":path": path = value
            case "content-type": contentType = value
            case "grpc-timeout": timeout = value
            case "grpc-encoding": encoding = value
            case "authorization": authorization = authorization ?? value
            case "x-aloft-sticky-key": stickyKey = stickyKey ?? value
            case "traceparent": trace = trace ?? value
            default: break
            }
        }
        guard contentType.hasPrefix("application/grpc") else {
            throw Status(
                .internal,
                "content-type \"\(contentType.prefix(60))\": this port answers application/grpc.")
        }
        guard let method = InferenceMethod(path: path) else {
            throw Status(.unimplemented, "\(path.prefix(200)) is not served here.")
        }
        switch encoding {
        case "identity": isCompressed = false
        case "gzip", "deflate": isCompressed = true
        default:
            throw Status(
                .unimplemented,
                "grpc-encoding \"\(encoding.prefix(40))\": identity, gzip and deflate are read.")
        }
        self.method = method
        var facts = CallFacts(
            token: authorization.flatMap(Self.bearer), stickyKey: stickyKey,
            timeoutMilliseconds: try timeout.map(Self.milliseconds), receivedAt: receivedAt,
            header: { headers.first(name: $0) })
        facts.trace = trace.flatMap { TraceParent($0) }
        facts.place = place
        self.facts = facts
    }

    /// The token of `Bearer TOKEN`.
    private static func bearer(_ text: String) -> String? {
        let words = text.split(separator: " ", maxSplits: 1)
        guard words.count == 2, words[0].lowercased() == "bearer" else { return nil }
        return String(words[1])
    }

    /// `250m`, `2S`: at least one millisecond, at most a day.
    static func milliseconds(_ text: String) throws(Status) -> Int {
        let units: [Character: Int] = [
            "H": 3_600_000_000_000, "M": 60_000_000_000, "S": 1_000_000_000, "m": 1_000_000,
            "u": 1000, "n": 1,
        ]
        guard let nanoseconds = text.last.flatMap({ units[$0] }), text.utf8.count <= 9,
            let value = Int(text.dropLast()), value >= 0
        else {
            throw Status(
                .invalidArgument,
                "grpc-timeout \"\(text.prefix(40))\": expected at most eight digits and one of H, "
                    + "M, S, m, u, n.")
        }
        let (product, overflow) = value.multipliedReportingOverflow(by: nanoseconds)
        return overflow ? 86_400_000 : min(max(product / 1_000_000, 1), 86_400_000)
    }
}
