import AloftDomain
package import Foundation
import HTTPTypes
import Hummingbird

/// The files of the web interface: the page for each page address, and its assets.
///
/// Only addresses of pages are answered with the page, so that a mistyped address of the API stays
/// an error of the API. Assets carry a digest of their content in their names and are cached for
/// good; the page itself is asked for each time.
package struct WebRoutes: Sendable {
    /// The first part of each page's address; everything below is that page's own affair.
    // text: our own pages
    package static let pages: Set<String> = [
        "experiments", "runs", "compare", "models", "jobs", "sweeps", "deployments",
        "predictions", "settings",
    ]

    /// `nil` where the interface was not built.
    private let folder: URL?
    private let files = FileIO()

    package init(folder: URL?) { self.folder = folder }

    /// True for what a browser may load before it has shown a token: no data is in it.
    package static func isPublic(_ path: String) -> Bool {
        let first = path.pieces(at: "/", most: 2).first.map(String.init)
        guard let first else { return true }
        return pages.contains(first) || first == "assets" || first == "favicon.ico"
    }

    package func add(to routes: inout APIRoutes) {
        routes.raw(.get, "/", .greet) { _, context in try await page(context) }
        for name in Self.pages.sorted() {
            routes.raw(.get, "/\(name)", .greet) { _, context in try await page(context) }
            routes.raw(.get, "/\(name)/**", .greet) { _, context in try await page(context) }
        }
        routes.raw(.get, "/assets/{name}", .greet) { request, context in
            try await asset(context.parameters.get("name") ?? "", request, context)
        }
        routes.raw(.get, "/favicon.ico", .greet) { request, context in
            try await asset("favicon.svg", request, context)
        }
    }

    private func page(_ context: AloftRequestContext) async throws -> Response {
        guard let folder, Self.isFile(folder.appending(path: "index.html")) else {
            return Response(
                status: .ok, headers: [.contentType: "text/plain; charset=utf-8"],
                body: .init(byteBuffer: ByteBuffer(string: Self.howToBuild)))
        }
        var headers = WebHeaders.forPage
        headers[.contentType] = "text/html; charset=utf-8"
        let body = try await files.loadFile(
            path: folder.appending(path: "index.html").path, context: context)
        return Response(status: .ok, headers: headers, body: body)
    }

    private func asset(
        _ name: String, _ request: Request, _ context: AloftRequestContext
    ) async throws -> Response {
        guard let folder, let type = WebHeaders.contentType(of: name) else {
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
