import AloftDomain
import AloftWire
package import Hummingbird
import Logging
import NIOCore

/// Answers errors that handlers throw, as JSON. What nobody expected is logged with the request's
/// path and answered as 500 without its text, which may hold what is nobody's business.
package struct ErrorMiddleware: RouterMiddleware {
    package typealias Context = AloftRequestContext

    package init() {}

    package func handle(
        _ request: Request, context: Context,
        next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        let path = request.uri.path
        do {
            return try await next(request, context)
        } catch let refusal as any Refusal {
            return ErrorResponse.make(for: refusal, path: path)
        } catch let error as HTTPError where ErrorResponse.isTracking(path) {
            return ErrorResponse.trackingRefusal(
                error, what: "\(request.method) \(path.prefix(500))")
        } catch is NIOTooManyBytesError {
            return ErrorResponse.json(
                ErrorReply(code: "body_too_large", message: "the body is larger than this takes"),
                status: .contentTooLarge)
        } catch let error as HTTPError {
            return ErrorResponse.json(
                ErrorReply(
                    code: error.status == .notFound ? "route_not_found" : "request_refused",
                    message: error.body ?? "\(request.method) \(path): \(error.status)"),
                status: error.status)
        } catch let error as CancellationError {
            throw error
        } catch {
            context.logger.error(
                "request failed", metadata: ["path": "\(path)", "error": "\(error)"])
            return ErrorResponse.json(
                ErrorReply(code: "internal", message: "the server failed; its log says why"),
                status: .internalServerError)
        }
    }
}
