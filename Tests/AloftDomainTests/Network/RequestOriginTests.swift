import AloftDomain
import Testing

/// What a browser may be made to send, and what programs send, by the head alone.
@Suite struct RequestOriginTests {
    private static let known = KnownHosts(
        listen: [ListenAddress(host: "10.1.2.3", port: 5000)],
        names: ["models.example.org", "2001:db8::7", "Ohm.Example:8080"])

    private static func refusal(
        _ host: RequestOrigin.Host, method: String = "GET", origin: String? = nil,
        site: String? = nil
    ) -> RequestRefusal? {
        RequestOrigin(method: method, host: host, origin: origin, site: site)
            .refusal { Self.known.contains($0) }
    }

    @Test(arguments: [
        "localhost", "localhost:5000", "LOCALHOST", "localhost.", "127.0.0.1:1", "127.255.0.9",
        "[::1]", "[::1]:5000", "10.1.2.3", "10.1.2.3:80", "models.example.org",
        "Models.Example.Org.:443", "[2001:db8::7]:5000", "ohm.example",
    ])
    func `a name of this server is known, whatever its port`(host: String) {
        #expect(Self.refusal(.one(host)) == nil)
        #expect(Self.refusal(.one(host), method: "POST") == nil)
    }

    @Test(arguments: [
        ("evil.example", "evil.example"), ("evil.example:5000", "evil.example"),
        ("localhost.evil.example", "localhost.evil.example"), ("127.0.0.1.evil", "127.0.0.1.evil"),
        ("127.0.0.256", "127.0.0.256"), ("127.1", "127.1"), ("10.1.2.4", "10.1.2.4"),
        ("example.org", "example.org"), ("x", "x"), ("[::2]", "::2"), ("0.0.0.0", "0.0.0.0"),
    ])
    func `any other name is misdirected, and is told how to be known`(host: String, name: String) {
        let refusal = Self.refusal(.one(host))
        #expect(refusal == .hostUnknown(name: name))
        #expect(refusal?.httpStatus == 421)
        #expect(refusal?.message.contains("--host \(name)") == true)
    }

    @Test(arguments: [
        "", ":5000", "a@localhost", "localhost:", "localhost:x", "localhost:99999", "local host",
        "localhost, evil", "localhost/", "http://localhost", "[::1", "::1", "[::1%lo]",
        "[localhost]",
        ".", "l\u{f6}calhost", "localhost\u{0}", String(repeating: "a", count: 400),
    ])
    func `what is no name and port is refused`(host: String) {
        #expect(Self.refusal(.one(host)) == .hostMalformed)
        #expect(RequestRefusal.hostMalformed.httpStatus == 400)
    }

    @Test func `no host and two hosts are refused`() {
        #expect(Self.refusal(.missing) == .hostMissing)
        #expect(Self.refusal(.several) == .hostDoubled)
        #expect(RequestRefusal.hostMissing.httpStatus == 400)
        #expect(RequestRefusal.hostDoubled.httpStatus == 400)
    }

    @Test(
        arguments: [
            ("localhost:5000", "http://localhost:5000", "same-origin", true),
            ("localhost:5000", "http://LOCALHOST:5000", nil, true),
            ("localhost:5000", nil, "none", true),
            ("localhost:5000", nil, "same-origin", true),
            ("models.example.org", "https://models.example.org", nil, true),
            ("models.example.org", "http://models.example.org", nil, true),
            ("models.example.org:443", "https://models.example.org", nil, true),
            ("[::1]:5000", "http://[::1]:5000", nil, true),
            // Another port of this host is another origin, though the same site.
            ("localhost:5000", "http://localhost:8888", "same-site", false),
            ("localhost:5000", "http://localhost:8888", nil, false),
            ("localhost:5000", "http://localhost", nil, false),
            ("localhost:5000", "http://127.0.0.1:5000", nil, false),
            ("models.example.org:5000", "https://models.example.org", nil, false),
            ("localhost:5000", "https://evil.example", "cross-site", false),
            ("localhost:5000", "https://evil.example", nil, false),
            ("localhost:5000", nil, "cross-site", false),
            ("localhost:5000", nil, "same-site", false),
            ("localhost:5000", nil, "something new", false),
            ("localhost:5000", "http://localhost:5000", "cross-site", false),
            ("localhost:5000", "null", nil, false), ("localhost:5000", "", nil, false),
            ("localhost:5000", "file://localhost:5000", nil, false),
            ("localhost:5000", "http://localhost:5000.evil.example", nil, false),
            ("localhost:5000", "http://localhost:5000@evil.example", nil, false),
        ] as [(String, String?, String?, Bool)])
    func `only a page of this very host and port changes anything`(
        host: String, origin: String?, site: String?, isAllowed: Bool
    ) {
        for method in ["POST", "PUT", "PATCH", "DELETE", "CONNECT", "post"] {
            let refusal = Self.refusal(.one(host), method: method, origin: origin, site: site)
            #expect((refusal == nil) == isAllowed, "\(method)")
            if let refusal { #expect(refusal.httpStatus == 403) }
        }
        // A page that only asks to read gets what it cannot look at.
        for method in ["GET", "HEAD", "OPTIONS"] {
            #expect(Self.refusal(.one(host), method: method, origin: origin, site: site) == nil)
        }
    }

    @Test(
        arguments: [
            ("/v2", nil), ("*", nil), ("http://localhost:5000/v2", nil),
            ("HTTP://10.1.2.3/v2?a=b", nil), ("https://models.example.org", nil),
            ("http://evil.example/v2", "host_unknown"),
            ("hTTps://evil.example:5000", "host_unknown"),
            ("http://localhost.evil.example?a=/", "host_unknown"),
            ("http://a@localhost/v2", "host_malformed"), ("http:///v2", "host_malformed"),
        ] as [(String, String?)])
    func `a host that the target names is asked, too`(target: String, code: String?) {
        let origin = RequestOrigin(method: "GET", target: target, host: .one("localhost:5000"))
        #expect(origin.refusal { Self.known.contains($0) }?.code == code)
        let other = RequestOrigin(method: "GET", target: target, host: .one("evil.example"))
        #expect(other.refusal { Self.known.contains($0) }?.code == "host_unknown")
        #expect(RequestTarget.path(of: "http://a/b?c").utf8.elementsEqual("/b?c".utf8))
        #expect(
            RequestTarget.path(of: "http://a?c") == "/?c" && RequestTarget.path(of: "/a") == "/a")
    }

    @Test(
        arguments: [
            (.secure, "https://10.1.2.3", true), (.secure, "http://10.1.2.3", false),
            (.plain, "http://10.1.2.3", true), (.plain, "https://10.1.2.3", false),
            (.perhapsProxied, "https://10.1.2.3", true), (.perhapsProxied, "http://10.1.2.3", true),
        ] as [(RequestOrigin.Connection, String, Bool)])
    func `a page of the other scheme is another's where no proxy can be between`(
        connection: RequestOrigin.Connection, origin: String, isAllowed: Bool
    ) {
        let request = RequestOrigin(
            method: "POST", connection: connection, host: .one("10.1.2.3"), origin: origin)
        #expect((request.refusal { Self.known.contains($0) } == nil) == isAllowed)
    }

    @Test(
        arguments: [
            ("https", true), ("HTTPS ", true), ("https, http", true), ("http,https", true),
            ("http", false), ("", false), ("httpsx", false), (nil, false),
        ] as [(String?, Bool)])
    func `a proxy that was reached by TLS may stand before the port of plain HTTP`(
        proto: String?, isAllowed: Bool
    ) {
        let connection = RequestOrigin.Connection.plain.behind(proto: proto)
        for (origin, may) in [
            ("https://10.1.2.3", isAllowed), ("http://10.1.2.3", true), ("https://evil", false),
            ("https://10.1.2.3:8443", false),
        ] {
            let request = RequestOrigin(
                method: "POST", connection: connection, host: .one("10.1.2.3"), origin: origin)
            #expect((request.refusal { Self.known.contains($0) } == nil) == may, "\(origin)")
        }
        #expect(RequestOrigin.Connection.secure.behind(proto: proto) == .secure)
        #expect(ForwardedProto.isSecure(proto) == (isAllowed && proto?.hasPrefix("http,") != true))
    }

    @Test func `on every address of the machine all of them are known`() throws {
        let wild = KnownHosts(
            listen: [ListenAddress(host: "0.0.0.0", port: 1)], names: [],
            machine: ["192.168.7.7", "fe80::1", "ohm"])
        for host in ["192.168.7.7:5000", "[fe80::1]", "ohm", "localhost", "0.0.0.0:1"] {
            #expect(wild.contains(try #require(RequestAuthority(host))), "\(host)")
        }
        let one = KnownHosts(
            listen: [ListenAddress(host: "10.0.0.1", port: 1)], names: [], machine: ["ohm"])
        #expect(!one.contains(try #require(RequestAuthority("ohm"))))
    }

    @Test func `an origin of many bytes is shown cut and printable`() {
        let origin = "http://\u{202e}" + String(repeating: "a", count: 1000)
        let message = RequestRefusal.foreignOrigin(origin).message
        #expect(message.utf8.count < 300)
        #expect(message.unicodeScalars.allSatisfy { $0.isASCII && $0.value >= 32 })
    }
}

/// Which types of bodies each route takes.
@Suite struct AcceptedTypesTests {
    @Test(
        arguments: [
            ("POST", "/api/v1/jobs", "application/json", true),
            ("POST", "/api/v1/jobs", "Application/JSON ; charset=utf-8", true),
            ("POST", "/api/v1/jobs", "application/json;charset=utf-8", true),
            ("POST", "/api/v1/jobs", nil, false), ("POST", "/api/v1/jobs", "", false),
            ("POST", "/api/v1/jobs", "text/plain;charset=UTF-8", false),
            ("POST", "/api/v1/jobs", "text/plain; application/json", false),
            ("POST", "/api/v1/jobs", "application/jsonx", false),
            ("POST", "/api/v1/jobs", "application/x-www-form-urlencoded", false),
            ("POST", "/api/v1/jobs", "multipart/form-data; boundary=x", false),
            ("POST", "/api/v1/session", "text/plain", false),
            ("PUT", "/api/v1/project-files", nil, false),
            ("DELETE", "/api/v1/tokens/x", "text/plain", false),
            ("PUT", "/api/v1/blobs/ab", "application/octet-stream", true),
            ("PUT", "/api/v1/blobs/ab", nil, true),
            ("PUT", "/api/v1/blobs/ab", "text/plain", false),
            ("POST", "/api/v1/blobs/ab", "application/octet-stream", false),
            ("POST", "/api/v1/gateways/g/predictions/l/1/2", "application/octet-stream", true),
            ("POST", "/api/v1/gateways/g/predictions/l/1/2", "text/plain", false),
            ("POST", "/api/v1/gateways/g/predictions/l/1/2", nil, false),
            ("POST", "/api/v1/gateways/report", "application/octet-stream", false),
            ("POST", "/api/v1/gateways/report", "application/json", true),
            ("POST", "/api/v1/imports/runs", "application/x-ndjson", true),
            ("POST", "/api/v1/imports/runs", "text/plain", false),
        ] as [(String, String, String?, Bool)])
    func `a route takes its own types`(method: String, path: String, type: String?, isTaken: Bool) {
        let refusal = AcceptedTypes.refusal(method: method, path: path, type: type)
        #expect((refusal == nil) == isTaken)
        if let refusal {
            #expect(refusal.httpStatus == 415)
            #expect(!refusal.message.isEmpty)
        }
    }
}
