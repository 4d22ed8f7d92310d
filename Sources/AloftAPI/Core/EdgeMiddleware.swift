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
        var context = context
        let head = HeadFacts(request.headers)
        context.head = head
        if let refusal = refusal(of: request, head) {
            // Told behind the body, which is dropped: who writes still may not see it before.
            for try await _ in request.body {}
            var response = ErrorResponse.make(for: refusal, path: request.uri.path)
            response.status = .init(code: refusal.httpStatus)
            return response
        }
        return try await next(request, context)
    }

    private func refusal(of request: Request, _ head: HeadFacts) -> RequestRefusal? {
        var host = RequestOrigin.Host.missing
        // The library keeps the first `Host` apart from the other headers.
        if let first = request.head.authority {
            host = head.hasFurtherHost ? .several : .one(first)
        }
        let origin = RequestOrigin(
            method: request.method.rawValue,
            // The library keeps the path of the target only; `TargetHost` keeps the host that it named.
            target: head.targetHost.map { "http://\($0)/" } ?? "/",
            connection: request.head.scheme == "https" ? .secure : hosts.plainConnection,
            host: host, origin: head.origin, site: head.site)
        if let refusal = origin.refusal(isKnown: hosts.isKnown) { return refusal }
        if head.body == .nothing { return nil }
        return AcceptedTypes.refusal(
            method: request.method.rawValue, path: request.uri.path, type: head.contentType)
    }
}
