package import AloftDomain
package import Foundation
import HTTPTypes
import Hummingbird

/// The files of the web interface: the page for each page address, and its assets.
///
/// A mistyped address of the API stays an error of the API; see `WebFallback` for what a
/// browser is shown elsewhere. Assets carry a digest of their content in their names and are cached for
/// good; the page itself is asked for each time.
package struct WebRoutes: Sendable {
    /// The first part of each page's address; everything below is that page's own affair.
    // text: our own pages
    package static let pages: Set<String> = [
        "experiments", "runs", "compare", "models", "jobs", "sweeps", "deployments",
        "predictions", "settings",
    ]

    /// The first part of the addresses that programs ask, beside those of the protocol that is carried.
    // text: our own routes
    package static let programs: Set<String> = ["api", "assets", "health", "metrics", "v2"]

    private let webPage: WebPage
    private let files = FileIO()

    package init(folder: URL?) { webPage = WebPage(folder: folder) }

    /// True for addresses at which programs ask and no page ever stands.
    package static func isOfPrograms(_ path: String, _ carried: CarriedProtocol) -> Bool {
        guard let first = path.pieces(at: "/", most: 2).first.map(String.init) else { return false }
        return programs.contains(first) || carried.roots.contains { first.isSame(as: $0) }
    }

    /// True for what a browser may load before it has shown a token: no data is in it.
    package static func isPublic(_ path: String) -> Bool {
        let first = path.pieces(at: "/", most: 2).first.map(String.init)
        guard let first else { return true }
        return pages.contains(first) || first == "assets" || first == "favicon.ico"
    }

    package func add(to routes: inout APIRoutes) {
        routes.raw(.get, "/", .greet) { request, _ in try page(request) }
        for name in Self.pages.sorted() {
            routes.raw(.get, "/\(name)", .greet) { request, _ in try page(request) }
            routes.raw(.get, "/\(name)/**", .greet) { request, _ in try page(request) }
        }
        routes.raw(.get, "/assets/{name}", .greet) { request, context in
            try await asset(context.parameters.get("name") ?? "", request, context)
        }
        routes.raw(.get, "/favicon.ico", .greet) { request, context in
            try await asset("favicon.svg", request, context)
        }
    }

    private func page(_ request: Request) throws -> Response {
        try webPage.response(base: request.basePath)
            ?? Response(
                status: .ok, headers: [.contentType: "text/plain; charset=utf-8"],
                body: .init(byteBuffer: ByteBuffer(string: Self.howToBuild)))
    }

    private func asset(
        _ name: String, _ request: Request, _ context: AloftRequestContext
    ) async throws -> Response {
        guard let folder = webPage.folder, let type = WebHeaders.contentType(of: name) else {
            throw HTTPError(.notFound)
        }
        var path = folder.appending(path: "assets/\(name)").path
        var headers = WebHeaders.forAsset(hasDigest: name.holds("-"))
        headers[.contentType] = type
        headers[.vary] = "Accept-Encoding"
        let accepted = request.headers[.acceptEncoding] ?? ""
        if accepted.contains("gzip"), Self.isFile(URL(fileURLWithPath: path + ".gz")) {
            path += ".gz"
            headers[.contentEncoding] = "gzip"
        }
        let body = try await files.loadFile(path: path, context: context)
        return Response(status: .ok, headers: headers, body: body)
    }

    private static func isFile(_ url: URL) -> Bool {
        FileManager.default.isReadableFile(atPath: url.path)
    }

    private static let howToBuild = """
        Aloft is running. Its web interface was not built.

        Build it with `make web` in Aloft's folder, then load this page again.
        The API is at /api/v1 (described by /api/v1/openapi.json), MLflow clients are served.

        """
}
