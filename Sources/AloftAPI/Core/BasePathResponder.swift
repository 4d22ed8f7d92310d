package import AloftDomain
import HTTPTypes
package import Hummingbird

/// Stands before the router where a reverse proxy shows the server below a path.
///
/// A request below the server's own base path is taken as if it came without. What the proxy says in
/// `X-Forwarded-Prefix` is checked, and the whole path in front of the server's addresses is handed on in
/// that header, so that everything behind reads it there. No part of an answer but addresses depends on
/// it: who may ask, and from where, is decided as at the root.
package struct BasePathResponder<Inner: HTTPResponder>: HTTPResponder {
    package typealias Context = Inner.Context

    private let inner: Inner
    private let base: BasePath
    private let carried: CarriedProtocol

    package init(_ inner: Inner, base: BasePath, carried: CarriedProtocol = .none) {
        self.inner = inner
        self.base = base
        self.carried = carried
    }

    package func respond(to request: Request, context: Context) async throws -> Response {
        let given = request.headers[.forwardedPrefix]
        guard !base.isRoot || given != nil else {
            return try await inner.respond(to: request, context: context)
        }
        guard let outer = BasePath(told: given ?? "") else {
            for try await _ in request.body {}
            return ErrorResponse.make(
                for: BasePathRefusal.malformed(given ?? ""), path: request.uri.path,
                carried: carried)
        }
        var head = request.head
        let rest = base.rest(of: head.path ?? "")
        if let rest { head.path = rest }
        let shown = rest != nil || given == nil ? base.below(outer) : outer
        head.headerFields[.forwardedPrefix] = shown.isRoot ? nil : shown.text
        return try await inner.respond(
            to: Request(head: head, body: request.body), context: context)
    }
}

extension Request {
    /// The path below which the caller's address stands.
    var basePath: BasePath { headers[.forwardedPrefix].flatMap { BasePath($0) } ?? .root }
}

extension HTTPField.Name {
    static let forwardedPrefix = HTTPField.Name("X-Forwarded-Prefix") ?? .origin
}
