import AloftDomain
package import AloftEdge
import HTTPTypes
package import Hummingbird

/// The first thing that a request meets: refuses what a page of another place makes a browser send, and
/// bodies of a type that the route does not take. See `RequestOrigin` and `AcceptedTypes`.
package struct EdgeMiddleware: RouterMiddleware {
    package typealias Context = AloftRequestContext

    private let hosts: HostCheck

    package init(hosts: HostCheck) { self.hosts = hosts }

    package func handle(
        _ request: Request, context: Context,
        next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        if let refusal = refusal(of: request) {
            // Told behind the body, which is dropped: who writes still may not see it before.
            for try await _ in request.body {}
            var response = ErrorResponse.make(for: refusal, path: request.uri.path)
            response.status = .init(code: refusal.httpStatus)
            return response
        }
        return try await next(request, context)
    }

    private func refusal(of request: Request) -> RequestRefusal? {
        let headers = request.headers
        let origin = RequestOrigin(
            method: request.method.rawValue, host: Self.host(of: request),
            origin: headers[.origin], site: headers[.secFetchSite])
        if let refusal = origin.refusal(isKnown: hosts.isKnown) { return refusal }
        guard Self.hasBody(headers) else { return nil }
        return AcceptedTypes.refusal(
            method: request.method.rawValue, path: request.uri.path, type: headers[.contentType])
    }

    /// The library keeps the first `Host` apart from the other headers.
    private static func host(of request: Request) -> RequestOrigin.Host {
        guard let host = request.head.authority else { return .missing }
        return request.headers[.furtherHost] == nil ? .one(host) : .several
    }

    /// Whether a body comes, by what the head says (RFC 9112, section 6.3).
    static func hasBody(_ headers: HTTPFields) -> Bool {
        if let length = headers[.contentLength] { return length != "0" }
        return headers[.transferEncoding] != nil
    }
}

extension HTTPField.Name {
    /// What the library leaves among the headers where there is more than one `Host`.
    static let furtherHost = HTTPField.Name("Host") ?? .origin
    static let secFetchSite = HTTPField.Name("Sec-Fetch-Site") ?? .origin
}
