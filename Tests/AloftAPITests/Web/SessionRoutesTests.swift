import AloftDomain
import AloftStore
import AloftTestKit
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Testing

@testable import AloftAPI

@Suite struct SessionRoutesTests {
    private func withClient(
        _ body: @escaping @Sendable (any TestClientProtocol, String) async throws -> Void
    ) async throws {
        try await withStore { client, secret, _, _ in try await body(client, secret) }
    }

    private func withStore(
        _ body:
            @escaping @Sendable (any TestClientProtocol, String, Store, ManualTime) async throws ->
            Void
    ) async throws {
        let time = ManualTime()
        let store = try TemporaryStore()
        let secret = TokenQueries.makeSecret(using: .live())
        try await store.store.write { db in
            try TokenQueries.insert(
                db, id: TokenID("t1"), name: "ada", kind: .user, secret: secret, project: .default,
                at: Date(timeIntervalSince1970: 0))
        }
        let router = Router(context: AloftRequestContext.self)
        router.add(
            middleware: FrontMiddleware(
                principals: PrincipalFinder(
                    store: store.store, access: .tokenRequired, time: time.source)))
        var routes = APIRoutes(router: router, store: store.store)
        SessionRoutes(store: store.store, time: time.source, chance: .live())
            .add(to: &routes)
        router.get("/api/v1/who") { _, context in "\(context.principal)" }
        try await Application(router: router).test(.router) {
            try await body($0, secret, store.store, time)
        }
    }

    @Test func `a long body is no token`() async throws {
        try await withClient { client, secret in
            let long = #"{"token":"\#(secret)","x":"\#(String(repeating: "x", count: 70_000))"}"#
            try await client.execute(
                uri: "/api/v1/session", method: .post, body: ByteBuffer(string: long)
            ) { response in
                #expect(response.status == .contentTooLarge)
                #expect(String(buffer: response.body).contains("body_too_large"))
                #expect(response.headers[.setCookie] == nil)
            }
        }
    }

    @Test func `a browser that signed in is known by its cookie`() async throws {
        try await withClient { client, secret in
            let body = ByteBuffer(string: #"{"token":"\#(secret)"}"#)
            let cookie = try await client.execute(
                uri: "/api/v1/session", method: .post, body: body
            ) { response -> String in
                #expect(response.status == .ok)
                return response.headers[.setCookie] ?? ""
            }
            #expect(cookie.contains("HttpOnly"))
            #expect(cookie.contains("SameSite=Strict"))
            let pair = String(cookie.prefix { $0 != ";" })
            try await client.execute(
                uri: "/api/v1/who", method: .get, headers: [.cookie: "other=1; \(pair)"]
            ) { response in
                #expect(response.status == .ok)
                #expect(String(buffer: response.body).contains("ada"))
            }
        }
    }

    @Test(arguments: [("http", "aloft_session="), ("https", "__Secure-aloft_session=")])
    func `below a path of a proxy the cookie stays below it`(scheme: String, start: String)
        async throws
    {
        try await withClient { client, secret in
            var headers: HTTPFields = [.forwardedPrefix: "/team/aloft"]
            if let name = HTTPField.Name("X-Forwarded-Proto") { headers[name] = scheme }
            let sent = headers
            let body = ByteBuffer(string: #"{"token":"\#(secret)"}"#)
            let cookie = try await client.execute(
                uri: "/api/v1/session", method: .post, headers: sent, body: body
            ) { $0.headers[.setCookie] ?? "" }
            #expect(cookie.hasPrefix(start))
            #expect(cookie.contains("; Path=/team/aloft; "))
            #expect(cookie.contains("Secure") == (scheme == "https"))
            var known = sent
            known[.cookie] = String(cookie.prefix { $0 != ";" })
            try await client.execute(uri: "/api/v1/who", method: .get, headers: known) {
                #expect($0.status == .ok)
            }
        }
    }

    @Test func `an unknown token signs nobody in`() async throws {
        try await withClient { client, _ in
            let body = ByteBuffer(string: #"{"token":"guess"}"#)
            try await client.execute(uri: "/api/v1/session", method: .post, body: body) {
                #expect($0.status == .unauthorized)
                #expect($0.headers[.setCookie] == nil)
            }
            try await client.execute(uri: "/api/v1/who", method: .get) {
                #expect($0.status == .unauthorized)
            }
        }
    }

    private func signIn(
        _ client: any TestClientProtocol, _ secret: String, headers: HTTPFields = [:]
    ) async throws -> String {
        try await client.execute(
            uri: "/api/v1/session", method: .post, headers: headers,
            body: ByteBuffer(string: #"{"token":"\#(secret)"}"#)
        ) { $0.headers[.setCookie] ?? "" }
    }

    private func status(
        _ client: any TestClientProtocol, cookie: String, headers: HTTPFields = [:]
    ) async throws -> Int {
        var headers = headers
        headers[.cookie] = String(cookie.prefix { $0 != ";" })
        return try await client.execute(uri: "/api/v1/who", method: .get, headers: headers) {
            Int($0.status.code)
        }
    }

    @Test func `the cookie is not the token, and ends at sign-out`() async throws {
        try await withClient { client, secret in
            let cookie = try await signIn(client, secret)
            #expect(!cookie.contains(secret))
            #expect(!cookie.contains("Secure"))
            let other = try await signIn(client, secret)
            #expect(try await status(client, cookie: cookie) == 200)
            let pair = String(cookie.prefix { $0 != ";" })
            try await client.execute(
                uri: "/api/v1/session", method: .delete, headers: [.cookie: pair]
            ) { #expect($0.headers[.setCookie]?.contains("Max-Age=0") == true) }
            #expect(try await status(client, cookie: cookie) == 401)
            #expect(try await status(client, cookie: other) == 200)
        }
    }

    @Test func `a session ends with its token, and after a week`() async throws {
        try await withStore { client, secret, store, time in
            let cookie = try await signIn(client, secret)
            time.advance(by: .seconds(6 * 86_400))
            #expect(try await status(client, cookie: cookie) == 200)
            time.advance(by: .seconds(2 * 86_400))
            #expect(try await status(client, cookie: cookie) == 401)
            let next = try await signIn(client, secret)
            let before = try await store.read { try TokenQueries.ends($0) }
            let now = time.now
            try await store.write { db in
                _ = try TokenQueries.revoke(db, kind: .user, name: "ada", at: now)
            }
            #expect(try await status(client, cookie: next) == 401)
            #expect(try await store.read { try TokenQueries.ends($0) } > before)
        }
    }

    @Test func `behind TLS the cookie is bound to this host`() async throws {
        try await withClient { client, secret in
            let name = try #require(HTTPField.Name("x-forwarded-proto"))
            let cookie = try await signIn(client, secret, headers: [name: "https"])
            #expect(cookie.hasPrefix("__Host-aloft_session="))
            #expect(cookie.hasSuffix("; Secure"))
            #expect(cookie.contains("Path=/;"))
            #expect(!cookie.contains("Domain"))
            #expect(try await status(client, cookie: cookie, headers: [name: "https"]) == 200)
            // Anybody without TLS can set a cookie of the other name.
            let plain = cookie.replacingOccurrences(of: "__Host-", with: "")
            #expect(try await status(client, cookie: plain, headers: [name: "https"]) == 401)
        }
    }
}
