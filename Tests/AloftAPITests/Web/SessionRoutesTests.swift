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
        let store = try TemporaryStore()
        let secret = TokenQueries.makeSecret(using: .live())
        try await store.store.write { db in
            try TokenQueries.insert(
                db, id: TokenID("t1"), name: "ada", kind: .user, secret: secret, project: .default,
                at: Date(timeIntervalSince1970: 0))
        }
        let router = Router(context: AloftRequestContext.self)
        router.add(middleware: ErrorMiddleware())
        router.add(middleware: PrincipalMiddleware(store: store.store, access: .tokenRequired))
        SessionRoutes(store: store.store).add(to: router)
        router.get("/api/v1/who") { _, context in "\(context.principal)" }
        try await Application(router: router).test(.router) { try await body($0, secret) }
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
}
