import AloftDomain
package import AloftStore
import AloftWire
import Foundation
import HTTPTypes
package import Hummingbird

/// Signing in with a browser: the token goes into a cookie that scripts cannot read and that other
/// sites cannot make the browser send.
package struct SessionRoutes: Sendable {
    static let cookie = "aloft_token"

    private struct Body: Decodable { var token: String }

    private let store: Store

    package init(store: Store) { self.store = store }

    package func add(to router: Router<AloftRequestContext>) {
        router.post("/api/v1/session") { request, _ in
            let buffer = try await request.body.collect(upTo: 1 << 16)
            guard
                let body = try? JSON.decoder.decode(Body.self, from: Data(buffer.readableBytesView))
            else { throw BodyError.malformed(reason: "token is missing") }
            let secret = body.token
            guard try await store.read({ try TokenQueries.find($0, secret: secret) }) != nil else {
                throw AccessError.unknownToken
            }
            return Self.reply(cookie: secret, maxAgeSeconds: 30 * 86_400)
        }
        router.delete("/api/v1/session") { _, _ in Self.reply(cookie: "", maxAgeSeconds: 0) }
    }

    private static func reply(cookie value: String, maxAgeSeconds: Int) -> Response {
        var response = ErrorResponse.json(EmptyReply(), status: .ok)
        response.headers[.setCookie] =
            "\(cookie)=\(value); Path=/; HttpOnly; SameSite=Strict; Max-Age=\(maxAgeSeconds)"
        return response
    }

    /// The token of a browser that signed in.
    static func secret(in headers: HTTPFields) -> String? {
        for header in headers[values: .cookie] {
            for pair in header.pieces(at: ";") {
                let words = pair.trimmingCharacters(in: .whitespaces).pieces(
                    at: "=", most: 2)
                if words.count == 2, words[0].isSame(as: cookie) { return String(words[1]) }
            }
        }
        return nil
    }
}
