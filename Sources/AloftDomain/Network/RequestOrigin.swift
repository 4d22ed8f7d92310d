/// Whether a request may be looked at at all, by what its head says of where it comes from. Both planes
/// ask this before anything else.
///
/// A browser sends what any page asks of it, also to a server on loopback. It says two things that no page
/// can change: `Host`, the name in the address, and on all but plain reading `Origin` (with
/// `Sec-Fetch-Site`), the page's own. Programs send neither `Origin` nor `Sec-Fetch-Site`.
package struct RequestOrigin: Sendable {
    /// What the head says of the host.
    package enum Host: Sendable, Equatable {
        case missing
        case one(String)
        /// Two readers could take different ones (RFC 9112, section 3.2).
        case several
    }

    /// How the connection that the request came by is known to the browser, as far as we can tell.
    package enum Connection: Sendable, Equatable {
        /// TLS ends here: a page of this server is `https`.
        case secure
        /// Plain, on the port of plain HTTP: nothing that ends TLS may stand on another port of this name.
        case plain
        /// Plain on another port, or a proxy says that it was reached by TLS: there may be one in front.
        case perhapsProxied

        /// With what the proxies in front say, if any does.
        package func behind(proto: String?) -> Connection {
            guard self == .plain, let proto, ForwardedProto.namesSecure(proto) else { return self }
            return .perhapsProxied
        }
    }

    package var method: String
    /// The target of the request line. Where it names a host itself, that is asked, not `Host`
    /// (RFC 9112, section 3.2.2).
    package var target: String
    package var connection: Connection
    package var host: Host
    package var origin: String?
    /// `Sec-Fetch-Site`.
    package var site: String?

    package init(
        method: String, target: String = "/", connection: Connection = .perhapsProxied, host: Host,
        origin: String? = nil, site: String? = nil
    ) {
        self.method = method
        self.target = target
        self.connection = connection
        self.host = host
        self.origin = origin
        self.site = site
    }

    /// Why it is refused; `nil` for a request that may go on.
    package func refusal(isKnown: (RequestAuthority) -> Bool) -> RequestRefusal? {
        let authority: RequestAuthority
        switch host {
        case .missing: return .hostMissing
        case .several: return .hostDoubled
        case .one(let text):
            guard let read = RequestAuthority(text) else { return .hostMalformed }
            guard isKnown(read) else { return .hostUnknown(name: read.name) }
            guard let named = RequestTarget.authority(of: target) else {
                authority = read
                break
            }
            guard let asked = RequestAuthority(named) else { return .hostMalformed }
            guard isKnown(asked) else { return .hostUnknown(name: asked.name) }
            authority = asked
        }
        guard !isReading else { return nil }
        if let site, !Self.ownSites.contains(site) { return .foreignOrigin(origin ?? site) }
        if let origin, !isOwn(origin, of: authority) { return .foreignOrigin(origin) }
        return nil
    }

    /// Whether the method changes nothing (RFC 9110, section 9.2.1). A page may ask so much of another
    /// origin; what is answered it cannot read.
    private var isReading: Bool { method == "GET" || method == "HEAD" || method == "OPTIONS" }

    /// `none` is an address that a person typed.
    private static let ownSites: Set<String> = ["same-origin", "none"]
    private static let schemes = [("http://", 80), ("https://", 443)]

    /// Whether the page came from this very host and port. A browser leaves the scheme's own port out.
    /// Where a proxy may end TLS the scheme can be another than ours, so either may be.
    private func isOwn(_ origin: String, of host: RequestAuthority) -> Bool {
        for (scheme, port) in Self.schemes where origin.utf8.starts(with: scheme.utf8) {
            switch connection {
            case .secure where port == 80, .plain where port == 443: return false
            case .secure, .plain, .perhapsProxied: break
            }
            guard let page = RequestAuthority(origin.utf8.dropFirst(scheme.utf8.count)) else {
                return false
            }
            return page.name == host.name && (page.port ?? port) == (host.port ?? port)
        }
        return false  // "null" among others: a page that hides where it came from
    }
}

/// Why a request was refused by its head alone.
package enum RequestRefusal: Refusal, Equatable {
    case hostMissing
    case hostDoubled
    case hostMalformed
    case hostUnknown(name: String)
    case foreignOrigin(String)
    case wrongType(String?, expected: String)

    package var code: String {
        switch self {
        case .hostMissing: "host_missing"
        case .hostDoubled: "host_doubled"
        case .hostMalformed: "host_malformed"
        case .hostUnknown: "host_unknown"
        case .foreignOrigin: "origin_foreign"
        case .wrongType: "content_type_unsupported"
        }
    }

    package var kind: RefusalKind {
        switch self {
        case .hostMissing, .hostDoubled, .hostMalformed, .hostUnknown, .wrongType: .invalid
        case .foreignOrigin: .forbidden
        }
    }

    /// The status of HTTP that says just this.
    package var httpStatus: Int {
        switch self {
        case .hostUnknown: 421
        case .wrongType: 415
        case .hostMissing, .hostDoubled, .hostMalformed, .foreignOrigin: kind.wire.http
        }
    }

    package var message: String {
        switch self {
        case .hostMissing: "The request has no Host header, which HTTP/1.1 asks for."
        case .hostDoubled: "The request has more than one Host header; send one."
        case .hostMalformed: "The Host header is no NAME or NAME:PORT."
        case .hostUnknown(let name):
            "This server does not answer to the name \"\(name)\". If that is a name of it, start it "
                + "with --host \(name)."
        case .foreignOrigin(let origin):
            "The request comes from a page of \"\(Self.shown(origin))\", which is not this host and "
                + "port. Pages of other places may change nothing here."
        case .wrongType(let type?, let expected):
            "Content-Type \"\(Self.shown(type))\" is not taken here: send \(expected)."
        case .wrongType(nil, let expected): "The body has no Content-Type: send \(expected)."
        }
    }

    private static func shown(_ text: String) -> String {
        String(
            text.unicodeScalars.prefix(100).map {
                $0.isASCII && $0.value >= 32 ? Character($0) : "?"
            })
    }
}
