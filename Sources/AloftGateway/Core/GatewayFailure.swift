package import AloftDomain
import AloftInference

/// Why a request got no prediction, apart from what the model's input says.
package enum GatewayFailure: Refusal, Equatable {
    case noSuchRoute(path: String)
    case methodNotAllowed(allowed: String)
    case endpointNotFound(name: String, known: [String])
    case versionNotFound(name: String, version: String, known: [String])
    case notReady(name: String, reason: String)
    case bodyTooLarge(limitBytes: Int)
    /// A compressed body that becomes much larger than it is.
    case bodyGrows(bytes: Int, limitBytes: Int)
    case damagedBody
    case malformedHTTP
    case tokenMissing
    case tokenUnknown
    case tokenUnverifiable
    case notAdministrator
    case badHeader(name: String, value: String, expected: String)
    case shuttingDown
    /// Refused by its head alone.
    case refused(RequestRefusal)
    case bodiesHeld
    case tooManyAttempts

    package var code: String {
        switch self {
        case .noSuchRoute: "no_such_route"
        case .methodNotAllowed: "method_not_allowed"
        case .endpointNotFound: "model_not_found"
        case .versionNotFound: "version_not_found"
        case .notReady: "model_not_ready"
        case .bodyTooLarge: "body_too_large"
        case .bodyGrows: "body_too_large"
        case .damagedBody: "damaged_body"
        case .malformedHTTP: "malformed_http"
        case .tokenMissing: "token_missing"
        case .tokenUnknown: "token_unknown"
        case .tokenUnverifiable: "token_unverifiable"
        case .notAdministrator: "not_administrator"
        case .badHeader: "bad_header"
        case .shuttingDown: "shutting_down"
        case .refused(let refusal): refusal.code
        case .bodiesHeld: "bodies_held"
        case .tooManyAttempts: "token_attempts"
        }
    }

    package var kind: RefusalKind {
        switch self {
        case .noSuchRoute, .endpointNotFound, .versionNotFound: .notFound
        case .methodNotAllowed, .malformedHTTP, .badHeader, .damagedBody: .invalid
        case .notReady, .tokenUnverifiable, .shuttingDown, .bodiesHeld: .unavailable
        case .refused(let refusal): refusal.kind
        case .tooManyAttempts: .exhausted
        case .bodyTooLarge, .bodyGrows: .tooLarge
        case .tokenMissing, .tokenUnknown: .unauthenticated
        case .notAdministrator: .forbidden
        }
    }

    package var message: String {
        switch self {
        case .noSuchRoute(let path):
            "Nothing answers at \(path). Predictions: POST /v2/models/NAME/infer or POST "
                + "/deployments/NAME/invocations."
        case .methodNotAllowed(let allowed): "This path answers \(allowed) only."
        case .endpointNotFound(let name, let known):
            known.isEmpty
                ? "There is no deployment \"\(name)\": nothing is deployed yet."
                : "There is no deployment \"\(name)\". Deployed: "
                    + known.prefix(20).map { "\"\($0)\"" }.joined(separator: ", ")
                    + (nearest(to: name, among: known).map { ". Did you mean \"\($0)\"?" } ?? ".")
        case .versionNotFound(let name, let version, let known):
            "Deployment \"\(name)\" serves no version \(version); it serves "
                + known.joined(separator: ", ") + "."
        case .notReady(let name, let reason): "Deployment \"\(name)\" is not ready: \(reason)."
        case .bodyTooLarge(let limit): "The body is larger than the limit of \(limit) bytes."
        case .bodyGrows(let bytes, let limit):
            "The compressed body of \(bytes) bytes becomes more than \(limit), the limit for one of its "
                + "length. Send it uncompressed."
        case .damagedBody: "The compressed body is damaged or cut off."
        case .malformedHTTP: "The request is not HTTP/1.1."
        case .tokenMissing:
            "This gateway asks for a token: send Authorization: Bearer TOKEN (`aloft token create "
                + "NAME` makes one)."
        case .notAdministrator:
            "Models are loaded and unloaded, and registered versions asked, by administrators: send a "
                + "person's token, as `aloft token create NAME` makes one."
        case .tokenUnknown: "This token is unknown or was revoked."
        case .tokenUnverifiable:
            "This token could not be checked, since the server does not answer. Try again."
        case .badHeader(let name, let value, let expected):
            "Header \(name) is \"\(value)\"; expected \(expected)."
        case .shuttingDown: "The gateway is shutting down."
        case .refused(let refusal): refusal.message
        case .bodiesHeld:
            "The bodies of requests that are being read take all the memory that they may. Try again "
                + "in a moment."
        case .tooManyAttempts:
            "Too many unknown tokens were tried from where this one comes from. Try again in a second."
        }
    }
}

extension GatewayFailure {
    var httpStatus: Int {
        switch self {
        case .methodNotAllowed: 405
        case .refused(let refusal): refusal.httpStatus
        default: kind.wire.http
        }
    }
}

extension InferenceError {
    /// A deadline that passed is a gateway timeout; a model that fails is not the caller's fault
    /// alone, but its input made it so.
    var httpStatus: Int {
        switch self {
        case .deadlineExceeded: 504
        case .wrongType: 415
        default: kind.wire.http
        }
    }

    /// When the same request may be tried again, where it was shed.
    var retryAfterSeconds: Int {
        if case .overloaded(_, let seconds) = self { seconds } else { 1 }
    }

    /// Whether the request itself was wrong, so that it says nothing about the revision.
    var isCallersFault: Bool {
        (kind == .invalid || kind == .tooLarge) && code != "model_failed"
    }
}
