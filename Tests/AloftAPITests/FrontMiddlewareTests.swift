import AloftDomain
import AloftEdge
import AloftMLflow
import AloftStore
import AloftTestKit
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Synchronization
import Testing

@testable import AloftAPI

/// What is refused before any route runs, over a real connection, where the library sets `Host` apart.
@Suite struct FrontMiddlewareTests {
    private static func run(
        budgetBytes: Int = 1 << 30,
        _ body: @escaping @Sendable (any TestClientProtocol) async throws -> Void
    ) async throws {
        let router = Router(context: AloftRequestContext.self)
        let listen = ListenAddress(host: "127.0.0.1", port: 0)
        router.add(
            middleware: FrontMiddleware(
                edge: EdgeCheck(hosts: HostCheck(listen: [listen], names: ["ohm"])),
                bodies: BodyBudget(budget: ByteBudget(limitBytes: budgetBytes)),
                carried: MLflowPaths.carried))
        router.get("/api/v1/things") { _, _ in "seen" }
        for path: RouterPath in ["/api/v1/things", "/api/2.0/mlflow/runs/create"] {
            router.post(path) { request, _ in
                "\(try await request.body.collect(upTo: 1 << 20).readableBytes)"
            }
        }
        try await Application(router: router).test(.live) { try await body($0) }
    }

    private static func status(
        _ client: any TestClientProtocol, _ headers: [String: String],
        method: HTTPRequest.Method = .post, path: String = "/api/v1/things", body: String? = "{}"
    ) async throws -> (status: Int, text: String) {
        var fields = HTTPFields()
        for (name, value) in headers {
            fields.append(HTTPField(name: try #require(HTTPField.Name(name)), value: value))
        }
        return try await client.execute(
            uri: path, method: method, headers: fields, body: body.map { ByteBuffer(string: $0) }
        ) { ($0.status.code, String(buffer: $0.body)) }
    }

    @Test func `a page of another place changes nothing, whatever it sends`() async throws {
        try await Self.run { client in
            let json = ["Content-Type": "application/json"]
            #expect(try await Self.status(client, json).status == 200)
            for (name, value) in [
                ("Origin", "https://evil.example"), ("Origin", "null"),
                ("Origin", "http://localhost:8888"), ("Sec-Fetch-Site", "cross-site"),
                ("Sec-Fetch-Site", "same-site"),
            ] {
                let headers = json.merging([name: value]) { $1 }
                let refused = try await Self.status(client, headers)
                #expect(refused.status == 403 && refused.text.contains("origin_foreign"))
                #expect(
                    try await Self.status(
                        client, headers, method: .post, path: "/api/v1/things", body: nil
                    ).status
                        == 403)
                let read = try await Self.status(
                    client, headers, method: .get, path: "/api/v1/things", body: nil)
                #expect(read.status == 200)
                // The clients of tracking read their own form.
                let tracking = try await Self.status(
                    client, headers, method: .post, path: "/api/2.0/mlflow/runs/create", body: "{}")
                #expect(tracking.status == 403 && tracking.text.contains("PERMISSION_DENIED"))
            }
        }
    }

    @Test func `a body says that it is JSON`() async throws {
        try await Self.run { client in
            for type in ["text/plain", "multipart/form-data", "application/x-www-form-urlencoded"] {
                let refused = try await Self.status(client, ["Content-Type": type])
                #expect(refused.status == 415 && refused.text.contains("content_type_unsupported"))
            }
            #expect(try await Self.status(client, [:]).status == 415)
            // There is nothing to read in these.
            let empty = try await Self.status(client, ["Content-Length": "0"], body: nil)
            #expect(empty.status == 200)
            // A route that there is not is none of ours to describe.
            let json = ["Content-Type": "application/json; charset=utf-8"]
            #expect(
                try await Self.status(client, json, method: .post, path: "/api/v1/none", body: "{}")
                    .status == 404)
        }
    }

    @Test func `bodies that do not fit in what is left are told to come again`() async throws {
        try await Self.run(budgetBytes: 200_000) { client in
            let json = ["Content-Type": "application/json"]
            let (small, large) = (
                String(repeating: "x", count: 150_000), String(repeating: "x", count: 250_000)
            )
            for _ in 0..<3 {
                #expect(
                    try await Self.status(
                        client, json, method: .post, path: "/api/v1/things", body: small
                    ).text
                        == "150000")
                let refused = try await Self.status(
                    client, json, method: .post, path: "/api/v1/things", body: large)
                #expect(refused.status == 503 && refused.text.contains("bodies_held"))
            }
        }
    }
}

@Suite struct TokenAttemptsTests {
    @Test func `strangers are turned away and those who were known are not`() async throws {
        let world = try APIWorld(access: .tokenRequired)
        let attempts = TokenAttempts(
            limiter: AttemptLimiter(
                perPlace: .init(burst: 3, perSecond: 0), all: .init(burst: 3, perSecond: 0)))
        let router = Router(context: AloftRequestContext.self)
        router.add(
            middleware: FrontMiddleware(
                principals: PrincipalFinder(
                    store: world.store, access: .tokenRequired, attempts: attempts)))
        router.get("/api/v1/who") { _, context in "\(context.principal)" }
        let good = try await world.makeToken(.user, name: "ann")
        try await Application(router: router).test(.router) { client async throws -> Void in
            func status(_ token: String) async throws -> Int {
                try await client.execute(
                    uri: "/api/v1/who", method: .get, headers: [.authorization: "Bearer \(token)"]
                ) { $0.status.code }
            }
            for _ in 0..<10 { #expect(try await status(good) == 200) }
            for number in 0..<3 { #expect(try await status("guess-\(number)") == 401) }
            for number in 3..<20 { #expect(try await status("guess-\(number)") == 429) }
            for _ in 0..<10 { #expect(try await status(good) == 200) }
        }
    }

    @Test(arguments: [PrincipalFinder.Access.open, .tokenRequired])
    func `guesses at signing in count with all others`(access: PrincipalFinder.Access)
        async throws
    {
        let world = try APIWorld(access: access)
        let attempts = TokenAttempts(
            limiter: AttemptLimiter(
                perPlace: .init(burst: 3, perSecond: 0), all: .init(burst: 3, perSecond: 0)))
        let router = Router(context: AloftRequestContext.self)
        router.add(
            middleware: FrontMiddleware(
                principals: PrincipalFinder(
                    store: world.store, access: access, attempts: attempts)))
        router.get("/api/v1/who") { _, context in "\(context.principal)" }
        var routes = APIRoutes(router: router, store: world.store)
        SessionRoutes(
            store: world.store, time: world.time.source, chance: world.chance, attempts: attempts
        ).add(to: &routes)
        let good = try await world.makeToken(.user, name: "ann")
        let late = try await world.makeToken(.user, name: "bob")
        try await Application(router: router).test(.router) { client async throws -> Void in
            func signIn(_ token: String) async throws -> Int {
                try await client.execute(
                    uri: "/api/v1/session", method: .post,
                    body: ByteBuffer(string: #"{"token":"\#(token)"}"#)
                ) { $0.status.code }
            }
            for _ in 0..<10 { #expect(try await signIn(good) == 200) }
            for number in 0..<3 { #expect(try await signIn("guess-\(number)") == 401) }
            for number in 3..<20 { #expect(try await signIn("guess-\(number)") == 429) }
            #expect(try await signIn(late) == 429)
            #expect(try await signIn(good) == 200)
            guard access == .tokenRequired else { return }
            let elsewhere = try await client.execute(
                uri: "/api/v1/who", method: .get, headers: [.authorization: "Bearer guess"]
            ) { $0.status.code }
            #expect(elsewhere == 429)
        }
    }
}
