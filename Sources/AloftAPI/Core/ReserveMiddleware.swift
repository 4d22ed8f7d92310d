package import AloftControl
import AloftDomain
import HTTPTypes
package import Hummingbird

/// Gives what stops, deletes and frees the room that is kept for it when the disk is full.
package struct ReserveMiddleware: RouterMiddleware {
    package typealias Context = AloftRequestContext

    private let reserve: DiskReserve

    package init(reserve: DiskReserve) { self.reserve = reserve }

    package func handle(
        _ request: Request, context: Context,
        next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        if Self.frees(request.method, request.uri.path) { reserve.releaseIfFull() }
        return try await next(request, context)
    }

    /// Whether a call leads to less on the disk.
    static func frees(_ method: HTTPRequest.Method, _ path: String) -> Bool {
        guard method == .post else { return method == .delete }
        return path.ends(with: "/stop") || path.ends(with: "/delete")
            || path.begins(with: "/api/v1/space") || path.holds(text: "/delete-")
    }
}
