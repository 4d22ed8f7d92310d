package import AloftDomain
package import AloftStore
import Foundation
import HTTPTypes
package import Hummingbird

/// Finds out who asks. A token names its bearer. Without one the caller is `local` while access is
/// open (a server on loopback), and refused otherwise.
package struct PrincipalMiddleware: RouterMiddleware {
    package typealias Context = AloftRequestContext

    package enum Access: Sendable {
        /// No token needed: the server listens on loopback only.
        case open
        case tokenRequired
    }

    private let store: Store
    private let access: Access
    private let time: TimeSource

    package init(store: Store, access: Access, time: TimeSource = .live) {
        self.store = store
        self.access = access
        self.time = time
    }

    package func handle(
        _ request: Request, context: Context,
        next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        var context = context
        do {
            let (principal, project) = try await principal(of: request)
            context.principal = principal
            context.bearer = Bearer(principal, project: project)
        } catch let refusal as AccessError {
            return ErrorResponse.make(for: refusal, path: request.uri.path)
        }
        return try await next(request, context)
    }

    private func principal(
        of request: Request
    ) async throws -> (principal: Principal, project: ProjectID) {
        let isPublic = Self.isPublic(request.uri.path)
        let secret = Self.secret(in: request.headers) ?? SessionCookie.secret(in: request)
        if let secret {
            let now = time.now()
            let record = try await store.read {
                try TokenQueries.bearer($0, secret: secret, at: now)
            }
            if let record { return (record.principal, record.project) }
            // MLflow clients may carry a password that means nothing here; open access ignores it.
            if access == .tokenRequired, !isPublic { throw AccessError.unknownToken }
        }
        if access == .open || isPublic { return (.local, .default) }
        throw AccessError.tokenMissing
    }

    /// Liveness, the server's version, the web interface's own files and signing in.
    private static func isPublic(_ path: String) -> Bool {
        path == "/health" || path == "/version" || path == "/api/v1/session"
            || WebRoutes.isPublic(path)
    }

    /// The token of `Authorization: Bearer TOKEN`, or the password of `Basic`, which MLflow clients
    /// send.
    static func secret(in headers: HTTPFields) -> String? {
        guard let header = headers[.authorization] else { return nil }
        let words = header.pieces(at: " ", most: 2)
        guard words.count == 2 else { return nil }
        let value = words[1].trimmingCharacters(in: .whitespaces)
        switch words[0].lowercased() {
        case "bearer":
            return value
        case "basic":
            guard let data = Data(base64Encoded: value) else { return nil }
            let pair = String(decoding: data, as: UTF8.self)
            return pair.pieces(at: ":", most: 2, keepingEmpty: true)
                .dropFirst().first.map(String.init)
        default:
            return nil
        }
    }
}

extension TokenRecord {
    var principal: Principal {
        switch kind {
        case .user: .user(name: name)
        case .job: .job(JobID(name))
        case .gateway: .gateway(name: name)
        }
    }
}

/// Why a caller may not ask.
package enum AccessError: Refusal, Equatable {
    case tokenMissing
    case unknownToken

    package var code: String {
        switch self {
        case .tokenMissing: "token_missing"
        case .unknownToken: "token_unknown"
        }
    }

    package var kind: RefusalKind {
        switch self {
        case .tokenMissing, .unknownToken: .unauthenticated
        }
    }

    package var message: String {
        switch self {
        case .tokenMissing:
            "this server asks for a token: send Authorization: Bearer TOKEN (ALOFT_TOKEN for the "
                + "aloft program, MLFLOW_TRACKING_TOKEN for MLflow clients)"
        case .unknownToken: "this token is unknown or was revoked"
        }
    }
}
