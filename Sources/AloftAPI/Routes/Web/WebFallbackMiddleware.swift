import AloftDomain
import Foundation
import HTTPTypes
package import Hummingbird

/// Shows a browser the interface's own page where there is nothing at an address: it says so in words,
/// with ways to go on. Programs, and everything below the APIs' addresses, get the error as it is.
///
/// Stands outside the question who asks: the page holds no data, and which addresses there are is no
/// secret.
package struct WebFallbackMiddleware: RouterMiddleware {
    package typealias Context = AloftRequestContext

    private let page: WebPage

    package init(page: WebPage) { self.page = page }

    package func handle(
        _ request: Request, context: Context,
        next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        let response = try await next(request, context)
        guard response.status == .notFound || response.status == .unauthorized,
            request.method == .get || request.method == .head,
            Self.asksForPage(request.headers), !WebRoutes.isOfPrograms(request.uri.path),
            var shown = try page.response(base: request.basePath)
        else { return response }
        shown.status = .notFound
        return shown
    }

    /// What a browser sends where a person opens an address, and no client of an API.
    private static func asksForPage(_ headers: HTTPFields) -> Bool {
        (headers[.accept] ?? "").pieces(at: ",").contains {
            // text: a media type is ASCII
            $0.trimmingCharacters(in: .whitespaces).lowercased().begins(with: "text/html")
        }
    }
}
