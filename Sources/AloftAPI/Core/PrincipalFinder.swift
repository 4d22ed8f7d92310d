package import AloftDomain
package import AloftStore
import Foundation
import HTTPTypes
import Hummingbird

/// Finds out who asks. A token names its bearer. Without one the caller is `local` while access is
/// open (a server on loopback), and refused otherwise.
package struct PrincipalFinder: Sendable {
    package enum Access: Sendable {
        /// No token needed: the server listens on loopback only.
        case open
        case tokenRequired
    }

    private let store: Store
    private let access: Access
    private let time: TimeSource
    private let attempts: TokenAttempts

    package init(
        store: Store, access: Access, time: TimeSource = .live,
        attempts: TokenAttempts = TokenAttempts()
    ) {
        self.store = store
        self.access = access
        self.time = time
        self.attempts = attempts
    }

    /// Who asks, where there is nothing to look up.
    func atOnce(_ head: HeadFacts) -> AloftRequestContext.Asking? {
        access == .open && !head.hasSecret ? .anybody : nil
    }

    /// - Throws: `AccessError`.
    func find(
        _ request: Request, _ head: HeadFacts, from context: AloftRequestContext
    ) async throws -> AloftRequestContext.Asking {
        let isPublic = Self.isPublic(request.uri.path)
        if head.hasSecret,
            let secret = Self.secret(in: request.headers) ?? SessionCookie.secret(in: request)
        {
            if let record = try await find(secret, context) {
                return .init(record.principal, project: record.project)
            }
            // MLflow clients may carry a password that means nothing here; open access ignores it.
            if access == .tokenRequired, !isPublic { throw AccessError.unknownToken }
        }
        if access == .open || isPublic { return .anybody }
        throw AccessError.tokenMissing
    }

    /// On an open server tokens open nothing, so nobody tries them there.
    private func find(_ secret: String, _ context: AloftRequestContext) async throws -> TokenRecord?
    {
        guard access == .tokenRequired else {
            return try await bearer(secret)
        }
        guard attempts.mayLookUp(secret, from: { context.place }) else {
            throw AccessError.tooManyAttempts
        }
        let record = try await bearer(secret)
        attempts.lookedUp(secret, isKnown: record != nil, from: { context.place })
        return record
    }

    private func bearer(_ secret: String) async throws -> TokenRecord? {
        let now = time.now()
        return try await store.read { try TokenQueries.bearer($0, secret: secret, at: now) }
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
    /// Unknown tokens came too often from where this one comes from, or from everywhere.
    case tooManyAttempts

    package var code: String {
        switch self {
        case .tokenMissing: "token_missing"
        case .unknownToken: "token_unknown"
        case .tooManyAttempts: "token_attempts"
        }
    }

    package var kind: RefusalKind {
        switch self {
        case .tokenMissing, .unknownToken: .unauthenticated
        case .tooManyAttempts: .exhausted
        }
    }

    package var message: String {
        switch self {
        case .tokenMissing:
            "this server asks for a token: send Authorization: Bearer TOKEN (ALOFT_TOKEN for the "
                + "aloft program, MLFLOW_TRACKING_TOKEN for MLflow clients)"
        case .unknownToken: "this token is unknown or was revoked"
        case .tooManyAttempts:
            "too many unknown tokens were tried from where this one comes from; try again in a second"
        }
    }
}
