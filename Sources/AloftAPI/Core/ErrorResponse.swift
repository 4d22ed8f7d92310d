package import AloftDomain
import AloftWire
package import Foundation
package import HTTPTypes
package import Hummingbird

/// The only place that turns refusals into statuses.
package enum ErrorResponse {
    package static func status(for kind: RefusalKind) -> HTTPResponse.Status {
        switch kind {
        case .invalid: .badRequest
        case .notFound: .notFound
        case .conflict: .conflict
        case .unauthenticated: .unauthorized
        case .forbidden: .forbidden
        case .tooLarge: .contentTooLarge
        case .exhausted: .tooManyRequests
        case .checkFailed: .unprocessableContent
        case .unavailable: .serviceUnavailable
        case .diskFull: .init(code: 507, reasonPhrase: "Insufficient Storage")
        case .damaged: .internalServerError
        case .unsupported: .notImplemented
        }
    }

    /// The error as `/api/v1` answers it, or for a path of the tracking protocol as its clients read
    /// it.
    package static func make(for refusal: some Refusal, path: String) -> Response {
        let status = status(for: refusal.kind)
        guard !isTracking(path) else {
            return trackingResponse(refusal, status: status)
        }
        return json(ErrorReply(code: refusal.code, message: refusal.message), status: status)
    }

    static func json(_ value: some Encodable, status: HTTPResponse.Status) -> Response {
        let data = (try? JSON.encoder.encode(value)) ?? Data("{}".utf8)
        return Response(
            status: status, headers: [.contentType: "application/json"],
            body: .init(byteBuffer: ByteBuffer(bytes: data)))
    }

    static func isTracking(_ path: String) -> Bool {
        ["/api/2.0/", "/api/3.0/", "/ajax-api/", "/v1/", "/graphql", "/model-versions/"]
            .contains { path.begins(with: $0) }
    }

    /// What the HTTP library refuses, most often a route that there is not: clients of the tracking
    /// protocol decide by the name what to try instead.
    static func trackingRefusal(_ error: HTTPError, what: String) -> Response {
        let name =
            switch error.status {
            case .notFound: "ENDPOINT_NOT_FOUND"
            case .unauthorized: "UNAUTHENTICATED"
            default: error.status.code < 500 ? "BAD_REQUEST" : "INTERNAL_ERROR"
            }
        let message =
            error.status == .notFound
            ? "\(what): this server has no such route." : error.body ?? "\(what): \(error.status)"
        return json(["error_code": name, "message": message], status: error.status)
    }

    private static func trackingResponse(
        _ refusal: some Refusal, status: HTTPResponse.Status
    ) -> Response {
        let name =
            switch refusal.kind {
            case .unauthenticated: "UNAUTHENTICATED"
            case .forbidden: "PERMISSION_DENIED"
            case .notFound: "RESOURCE_DOES_NOT_EXIST"
            case .exhausted: "RESOURCE_EXHAUSTED"
            case .unavailable, .diskFull: "TEMPORARILY_UNAVAILABLE"
            case .damaged: "INTERNAL_ERROR"
            case .unsupported: "NOT_IMPLEMENTED"
            case .invalid, .conflict, .tooLarge, .checkFailed: "INVALID_PARAMETER_VALUE"
            }
        return json(["error_code": name, "message": refusal.message], status: status)
    }
}

/// How `/api/v1` writes and reads JSON.
package enum JSON {
    package static var encoder: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        return encoder
    }

    package static var decoder: JSONDecoder {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        return decoder
    }
}
