package import AloftDomain
package import AloftStore
import AloftWire
import Foundation
import HTTPTypes
import Hummingbird

/// Signing in with a browser. The cookie holds a session of its own, never the person's token: cookies
/// go to every port of a host. It ends a week after signing in, when the person signs out, and when
/// the token is revoked.
package struct SessionRoutes: Sendable {
    private static let lifetime: TimeInterval = 7 * 86_400

    private struct Body: Decodable { var token: String }

    private let store: Store
    private let time: TimeSource
    private let chance: Chance
    private let attempts: TokenAttempts

    /// - Parameter attempts: the same as the middleware's, so that guesses count together.
    package init(
        store: Store, time: TimeSource, chance: Chance, attempts: TokenAttempts = TokenAttempts()
    ) {
        self.store = store
        self.time = time
        self.chance = chance
        self.attempts = attempts
    }

    package func add(to routes: inout APIRoutes) {
        routes.raw(.post, "/api/v1/session", .greet) { request, context in
            try await signIn(request, context)
        }
        routes.raw(.delete, "/api/v1/session", .greet) { request, _ in
            if let secret = SessionCookie.secret(in: request) {
                try await store.write { try SessionQueries.end($0, secret: secret) }
            }
            return Self.reply(SessionCookie.header("", lifetime: 0, for: request))
        }
    }

    private func signIn(
        _ request: Request, _ context: AloftRequestContext
    ) async throws -> Response {
        let buffer = try await request.body.collect(upTo: 1 << 16)
        guard let body = try? JSON.decoder.decode(Body.self, from: Data(buffer.readableBytesView))
        else { throw BodyError.malformed(reason: "token is missing") }
        let (now, secret) = (time.now(), TokenQueries.makeSecret(using: chance))
        guard attempts.mayLookUp(body.token, from: { context.place }) else {
            throw AccessError.tooManyAttempts
        }
        // Strangers do not take the writer's time.
        let found = try await store.read { try TokenQueries.find($0, secret: body.token) }
        attempts.lookedUp(body.token, isKnown: found != nil, from: { context.place })
        guard found?.kind == .user else { throw AccessError.unknownToken }
        let isKnown = try await store.write { db in
            guard let token = try TokenQueries.find(db, secret: body.token), token.kind == .user
            else { return false }
            try SessionQueries.begin(
                db, secret: secret, of: token.id, at: now,
                until: now.addingTimeInterval(Self.lifetime))
            return true
        }
        guard isKnown else { throw AccessError.unknownToken }
        return Self.reply(SessionCookie.header(secret, lifetime: Int(Self.lifetime), for: request))
    }

    private static func reply(_ cookie: String) -> Response {
        var response = ErrorResponse.json(EmptyReply(), status: .ok)
        response.headers[.setCookie] = cookie
        return response
    }
}

/// The cookie of a browser that signed in. Behind TLS its name says that no other host of the domain,
/// and nobody without TLS, can have set it. Where a proxy shows the server below a path the cookie stays
/// there, so that what else stands on that host does not get it; a browser lets no cookie of the strictest
/// name do so.
enum SessionCookie {
    private static let plain = "aloft_session"
    private static let secure = "__Host-aloft_session"
    private static let secureBelow = "__Secure-aloft_session"

    private static func name(for request: Request) -> String {
        guard isSecure(request) else { return plain }
        return request.basePath.isRoot ? secure : secureBelow
    }

    /// Whether the browser reached us, or the proxy in front of us, by TLS.
    private static func isSecure(_ request: Request) -> Bool {
        if request.head.scheme == "https" { return true }
        let name = HTTPField.Name("x-forwarded-proto")
        return ForwardedProto.isSecure(name.flatMap { request.headers[$0] })
    }

    static func header(_ value: String, lifetime: Int, for request: Request) -> String {
        let isSecure = isSecure(request)
        let base = request.basePath
        return "\(name(for: request))=\(value); Path=\(base.isRoot ? "/" : base.text); HttpOnly; "
            + "SameSite=Strict; Max-Age=\(lifetime)" + (isSecure ? "; Secure" : "")
    }

    static func secret(in request: Request) -> String? {
        let name = name(for: request)
        for header in request.headers[values: .cookie] {
            for pair in header.pieces(at: ";") {
                let words = pair.trimmingCharacters(in: .whitespaces).pieces(
                    at: "=", most: 2)
                if words.count == 2, words[0].isSame(as: name) { return String(words[1]) }
            }
        }
        return nil
    }
}
