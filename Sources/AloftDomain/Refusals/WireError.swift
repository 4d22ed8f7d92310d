/// What a kind of refusal is called in each protocol. The one table of it: every plane reads it here, and
/// docs/reference/errors.md shows it. A layer of a protocol adds only what that protocol says more exactly of
/// one error, such as 405 or `RESOURCE_ALREADY_EXISTS`.
package struct WireError: Sendable, Equatable {
    /// The status of `/api/v1` and of predictions over HTTP.
    package let http: Int
    /// The status of predictions over gRPC.
    package let grpc: GRPCCode
    /// The `error_code` of the tracking protocol, by which its clients decide; it has a status of its own.
    package let mlflow: MLflowErrorName

    init(_ http: Int, _ grpc: GRPCCode, _ mlflow: MLflowErrorName) {
        self.http = http
        self.grpc = grpc
        self.mlflow = mlflow
    }
}

extension RefusalKind {
    package var wire: WireError {
        switch self {
        case .invalid: WireError(400, .invalidArgument, .invalidParameterValue)
        case .notFound: WireError(404, .notFound, .resourceDoesNotExist)
        case .conflict: WireError(409, .failedPrecondition, .invalidParameterValue)
        case .unauthenticated: WireError(401, .unauthenticated, .unauthenticated)
        case .forbidden: WireError(403, .permissionDenied, .permissionDenied)
        case .tooLarge: WireError(413, .resourceExhausted, .invalidParameterValue)
        case .exhausted: WireError(429, .resourceExhausted, .resourceExhausted)
        case .checkFailed: WireError(422, .failedPrecondition, .invalidParameterValue)
        case .unavailable: WireError(503, .unavailable, .temporarilyUnavailable)
        case .diskFull: WireError(507, .resourceExhausted, .temporarilyUnavailable)
        case .damaged: WireError(500, .dataLoss, .internalError)
        case .unsupported: WireError(501, .unimplemented, .notImplemented)
        }
    }
}

/// The codes that a server of gRPC gives (https://grpc.io/docs/guides/status-codes).
package enum GRPCCode: Int, Sendable {
    case invalidArgument = 3
    case deadlineExceeded = 4
    case notFound = 5
    case permissionDenied = 7
    case resourceExhausted = 8
    case failedPrecondition = 9
    case unimplemented = 12
    case `internal` = 13
    case unavailable = 14
    case dataLoss = 15
    case unauthenticated = 16
}

/// The names that the tracking protocol has for errors, as far as this server gives them.
package enum MLflowErrorName: String, Sendable {
    case badRequest = "BAD_REQUEST"
    case invalidParameterValue = "INVALID_PARAMETER_VALUE"
    case resourceAlreadyExists = "RESOURCE_ALREADY_EXISTS"
    case resourceDoesNotExist = "RESOURCE_DOES_NOT_EXIST"
    case endpointNotFound = "ENDPOINT_NOT_FOUND"
    case permissionDenied = "PERMISSION_DENIED"
    case unauthenticated = "UNAUTHENTICATED"
    case resourceExhausted = "RESOURCE_EXHAUSTED"
    case notImplemented = "NOT_IMPLEMENTED"
    case temporarilyUnavailable = "TEMPORARILY_UNAVAILABLE"
    case internalError = "INTERNAL_ERROR"

    /// The status of HTTP that goes with it, as in the protocol's own server.
    package var http: Int {
        switch self {
        case .badRequest, .invalidParameterValue, .resourceAlreadyExists: 400
        case .unauthenticated: 401
        case .permissionDenied: 403
        case .resourceDoesNotExist, .endpointNotFound: 404
        case .resourceExhausted: 429
        case .internalError: 500
        case .notImplemented: 501
        case .temporarilyUnavailable: 503
        }
    }
}
