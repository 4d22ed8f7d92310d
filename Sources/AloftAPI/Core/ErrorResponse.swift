package import AloftDomain
import AloftWire
package import Foundation
import HTTPTypes
package import Hummingbird

/// How refusals are told; what each kind is called stands in `WireError`.
package enum ErrorResponse {
    /// The error as `/api/v1` answers it, or for a path of the tracking protocol as its clients read
    /// it.
    package static func make(
        for refusal: some Refusal, path: String, carried: CarriedProtocol
    ) -> Response {
        let wire = refusal.kind.wire
        guard !carried.has(path) else {
            return tracking(
                wire.mlflow, refusal.message, status: .init(code: wire.mlflow.http))
        }
        return json(
            ErrorReply(code: refusal.code, message: refusal.message),
            status: .init(code: wire.http))
    }

    static func json(_ value: some Encodable, status: HTTPResponse.Status) -> Response {
        let data = (try? JSON.encoder.encode(value)) ?? Data("{}".utf8)
        return Response(
            status: status, headers: [.contentType: "application/json"],
            body: .init(byteBuffer: ByteBuffer(bytes: data)))
    }

    /// What the HTTP library refuses, most often a route that there is not: clients of the tracking
    /// protocol decide by the name what to try instead.
    static func trackingRefusal(_ error: HTTPError, what: String) -> Response {
        let name: MLflowErrorName =
            switch error.status {
            case .notFound: .endpointNotFound
            case .unauthorized: .unauthenticated
            default: error.status.code < 500 ? .badRequest : .internalError
            }
        let message =
            error.status == .notFound
            ? "\(what): this server has no such route." : error.body ?? "\(what): \(error.status)"
        return tracking(name, message, status: error.status)
    }

    private static func tracking(
        _ name: MLflowErrorName, _ message: String, status: HTTPResponse.Status
    ) -> Response {
        json(["error_code": name.rawValue, "message": message], status: status)
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
