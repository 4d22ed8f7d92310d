import AloftDomain
import AloftEdge
import AloftTestKit
import Foundation
import NIOCore
import Synchronization
import Testing

@testable import AloftGateway

/// What the gateway refuses by the head, on the plain path and by way of the library.
@Suite struct EdgeTests {
    private static func world(
        adjust: @escaping (inout GatewayConfiguration) -> Void = { _ in },
        tokens: TokenAuthenticator? = nil,
        _ body: @Sendable @escaping (GatewayWorld) async throws -> Void
    ) async throws {
        let name = "constant-1.onnx"
        let state = States.state(1, [try States.revision(1, name, weight: 100)])
        try await GatewayWorld.run(
            state, folder: try States.folder(with: [name]), adjust: adjust, tokens: tokens
        ) { world in
            try await world.waitUntilReady()
            try await body(world)
        }
    }

    private static let path = "/v2/models/demo/infer"

    /// - Parameter isPlain: else a header has it go by way of the library.
    private static func infer(
        host: String = "Host: x\r\n", _ headers: String = "", isPlain: Bool = true,
        path: String = path, body: String = States.constantBody
    ) -> String {
        "POST \(path) HTTP/1.1\r\n\(host)\(isPlain ? "" : "Expect: 100\r\n")\(headers)"
            + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    @Test(arguments: [true, false])
    func `only known names are answered`(isPlain: Bool) async throws {
        try await Self.world { world in
            for (host, status) in [
                ("Host: x\r\n", 200), ("Host: localhost:1\r\n", 200), ("Host: 127.9.9.9\r\n", 200),
                ("hOST: X.:80\r\n", 200), ("Host: evil.example\r\n", 421), ("", 400),
                ("Host: x\r\nHost: x\r\n", 400), ("Host: x\r\nHost: y\r\n", 400),
                ("Host:\r\n", 400),
                ("Host: a@x\r\n", 400),
            ] {
                let reply = try await world.send(Self.infer(host: host, isPlain: isPlain))
                #expect(reply.status == status, "\(host)")
                if status == 421 { #expect(reply.body.contains("--host evil.example")) }
            }
            let page = try await world.send("GET /v2 HTTP/1.1\r\nHost: evil.example\r\n\r\n")
            #expect(page.status == 421 && !page.body.contains("extensions"))
        }
    }

    @Test func `a host in the target is asked, too`() async throws {
        try await Self.world { world in
            for (target, status) in [
                ("http://evil.example", 421), ("http://x", 200), ("HTTP://localhost:9", 200),
                ("https://a@x", 400),
            ] {
                let reply = try await world.send(Self.infer(path: target + Self.path))
                #expect(reply.status == status, "\(target): \(reply.body)")
                let page = try await world.send("GET \(target)/v2 HTTP/1.1\r\nHost: x\r\n\r\n")
                #expect(page.status == status, "\(target): \(page.body)")
            }
        }
    }

    @Test func `a page of another place changes nothing`() async throws {
        try await Self.world { world in
            for headers in [
                "Origin: https://evil.example\r\n", "Origin: null\r\n",
                "Sec-Fetch-Site: same-site\r\n",
                "Origin: http://x:8888\r\n", "sec-fetch-site: cross-site\r\n",
            ] {
                for path in [
                    Self.path, "/registry/m/versions/1/infer", "/deployments/demo/invocations",
                ] {
                    let reply = try await world.send(Self.infer(headers, path: path))
                    #expect(reply.status == 403, "\(headers)\(path)")
                }
                let unload = try await world.send(
                    "POST /v2/repository/models/demo/unload HTTP/1.1\r\nHost: x\r\n\(headers)\r\n")
                #expect(unload.status == 403, "\(headers)")
            }
            #expect(try await world.send(Self.infer()).status == 200)
            #expect(try await world.send(Self.infer("Origin: http://x\r\n")).status == 200)
        }
    }

    @Test func `bodies of types that pages send are refused`() async throws {
        try await Self.world { world in
            for (type, status) in [
                ("text/plain;charset=UTF-8", 415), ("multipart/form-data; boundary=b", 415),
                ("application/json", 200), ("application/json; charset=utf-8", 200),
                ("application/octet-stream", 200), ("application/vnd.x+json", 200),
                // What curl and urllib say where they are told nothing.
                ("application/x-www-form-urlencoded", 200),
            ] {
                let reply = try await world.send(Self.infer("Content-Type: \(type)\r\n"))
                #expect(reply.status == status, "\(type)")
            }
            let own = "Origin: http://x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            #expect(try await world.send(Self.infer(own)).status == 415)
            let unload = "/v2/repository/models/demo/unload"
            for type in ["text/plain", "application/x-www-form-urlencoded", "text/csv"] {
                let reply = try await world.send(
                    Self.infer("Content-Type: \(type)\r\n", path: unload, body: "{}"))
                #expect(reply.status == 415, "\(type)")
            }
            #expect(try await world.send(Self.infer()).status == 200, "it is still loaded")
        }
    }

    @Test func `two blanks in a request line are refused, wherever it stands`() async throws {
        try await Self.world { world in
            let address = world.address
            for line in ["GET  /v2 HTTP/1.1", "GET /v2  HTTP/1.1", " GET /v2 HTTP/1.1"] {
                try await RawConnection.offPool {
                    let connection = try RawConnection(address)
                    try connection.write(Self.infer() + "\(line)\r\nHost: x\r\n\r\n")
                    #expect(try connection.readReply().status == 200)
                    #expect(try connection.readReply().status == 400, "\(line)")
                }
            }
        }
    }

    @Test func `a stranger is refused by the head, and a caller who is known is not`() async throws
    {
        let tokens = TokenAuthenticator(
            folder: try ServingFixtures.makeFolder(), own: nil, time: .live
        ) {
            $0 == "good"
        }
        try await Self.world(tokens: tokens) { world in
            let address = world.address
            for (header, status) in [
                ("", 401), ("Authorization: Bearer bad\r\n", 401),
                ("Authorization: Basic x\r\n", 401),
            ] {
                try await RawConnection.offPool {
                    let connection = try RawConnection(address)
                    // The rest never comes.
                    try connection.write(
                        "POST \(Self.path) HTTP/1.1\r\nHost: x\r\n\(header)Content-Length: 60000000\r\n\r\n{"
                    )
                    let reply = try connection.readReply()
                    #expect(reply.status == status && reply.head.contains("connection: close"))
                    #expect(connection.isAtEnd())
                }
            }
            try await RawConnection.offPool {
                let connection = try RawConnection(address)
                let body = States.constantBody
                try connection.write(
                    "POST \(Self.path) HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer good\r\n"
                        + "Expect: 100-continue\r\nContent-Length: \(body.utf8.count)\r\n\r\n")
                #expect(try connection.readReply().status == 100)
                try connection.write(body)
                #expect(try connection.readReply().status == 200)
            }
        }
    }

    @Test func `bodies share a budget`() async throws {
        try await Self.world(adjust: { $0.bodyBudgetBytes = 300_000 }) { world in
            let address = world.address
            try await RawConnection.offPool {
                let holder = try RawConnection(address)
                try holder.write(
                    "POST \(Self.path) HTTP/1.1\r\nHost: x\r\nContent-Length: 290000\r\n\r\n"
                        + String(repeating: " ", count: 280_000))
                let other = try RawConnection(address)
                var reply: HTTPReply?
                // Until what the first sent has been read.
                for _ in 0..<2000 where reply?.status != 503 {
                    let next = try RawConnection(address)
                    try next.write(
                        "POST \(Self.path) HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
                            + "Content-Length: 50000\r\n\r\n")
                    #expect(try next.readReply().status == 100)
                    try next.write(String(repeating: " ", count: 50_000))
                    reply = try next.readReply()
                }
                #expect(reply?.status == 503 && reply?.head.contains("retry-after: 1") == true)
                // Small requests that come whole are answered still.
                try other.write(Self.infer())
                #expect(try other.readReply().status == 200)
            }
        }
    }
}

/// Wrong tokens cost the server little and the disk nothing.
@Suite struct StrangerTokenTests {
    private final class Asked: Sendable {
        let count = Atomic(0)
    }

    @Test func `strangers have the server asked only so often, and nothing is written`()
        async throws
    {
        let (folder, asked) = (try ServingFixtures.makeFolder(), Asked())
        let time = ManualTime()
        let gate = TokenAuthenticator(
            folder: folder, own: nil, time: time.source,
            attempts: AttemptLimiter(
                perPlace: .init(burst: 5, perSecond: 0), all: .init(burst: 100, perSecond: 0))
        ) {
            asked.count.wrappingAdd(1, ordering: .relaxed)
            return $0 == "good"
        }
        let place = RemoteAddress(try SocketAddress(ipAddress: "10.0.0.1", port: 1))
        let file = folder + "/known-tokens.json"
        #expect(await gate.verdict("good", from: place) == .known)
        try FileManager.default.removeItem(atPath: file)
        var verdicts: [TokenAuthenticator.Verdict] = []
        for number in 0..<100 {
            verdicts.append(await gate.verdict("guess-\(number)", from: place))
        }
        #expect(verdicts.count { $0 == .unknown } == 5)
        #expect(verdicts.count { $0 == .tooManyAttempts } == 95)
        #expect(asked.count.load(ordering: .relaxed) == 6)
        #expect(!FileManager.default.fileExists(atPath: file))
        // Who was known before is asked for, whoever tries from the same place.
        time.advance(by: .seconds(120))
        #expect(gate.remembered("good") == nil)
        #expect(await gate.verdict("good", from: place) == .known)
        let other = RemoteAddress(try SocketAddress(ipAddress: "10.0.0.2", port: 1))
        #expect(await gate.verdict("another", from: other) == .unknown)
    }
}
