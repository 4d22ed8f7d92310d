import AloftDomain
import AloftWire
import Hummingbird
import Logging
import NIOCore

extension ErrorResponse {
    /// What a handler threw, as JSON. What nobody expected is logged with the request's path and answered
    /// as 500 without its text, which may hold what is nobody's business.
    ///
    /// - Throws: `CancellationError`, which nobody waits to read.
    static func make(
        for error: any Error, to request: Request, _ context: AloftRequestContext,
        carried: CarriedProtocol
    ) throws -> Response {
        let path = request.uri.path
        switch error {
        case let refusal as any Refusal:
            return make(for: refusal, path: path, carried: carried)
        case let error as HTTPError where carried.has(path):
            return trackingRefusal(
                error, what: "\(request.method) \(path.prefix(500))")
        case is NIOTooManyBytesError:
            return json(
                ErrorReply(code: "body_too_large", message: "the body is larger than this takes"),
                status: .contentTooLarge)
        case let error as HTTPError:
            return json(
                ErrorReply(
                    code: error.status == .notFound ? "route_not_found" : "request_refused",
                    message: error.body ?? "\(request.method) \(path): \(error.status)"),
                status: error.status)
        case let error as CancellationError:
            throw error
        default:
            context.logger.error(
                "request failed", metadata: ["path": "\(path)", "error": "\(error)"])
            return json(
                ErrorReply(code: "internal", message: "the server failed; its log says why"),
                status: .internalServerError)
        }
    }
}
