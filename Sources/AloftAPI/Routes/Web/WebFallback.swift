import AloftDomain
import Foundation
import HTTPTypes
import Hummingbird

/// Shows a browser the interface's own page where there is nothing at an address: it says so in words,
/// with ways to go on. Programs, and everything below the APIs' addresses, get the error as it is.
///
/// Stands outside the question who asks: the page holds no data, and which addresses there are is no
/// secret.
package struct WebFallback: Sendable {
    private let page: WebPage

    package init(page: WebPage) { self.page = page }

    /// The page to show for an answer; `nil` where the answer is shown as it is.
    func page(
        for response: Response, to request: Request, carried: CarriedProtocol
    ) throws -> Response? {
        guard response.status == .notFound || response.status == .unauthorized,
            request.method == .get || request.method == .head,
            Self.asksForPage(request.headers),
            !WebRoutes.isOfPrograms(request.uri.path, carried),
            var shown = try page.response(base: request.basePath)
        else { return nil }
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
