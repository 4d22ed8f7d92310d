import AloftDomain

/// The protocol's model repository: what administrators may do to this gateway's memory. What is
/// deployed is the server's matter and does not change by it.
struct ModelRepository: Sendable {
    let manager: ModelManager
    let tokens: TokenAuthenticator?

    /// Brings a deployment's models into memory, tries failed ones again, and waits until they answer.
    func load(_ name: String, _ token: String?) async throws(GatewayFailure) {
        try await authorize(token)
        try await manager.load(name)
    }

    /// Lets go of a deployment's models when the last request has left them. Until they are loaded
    /// again, or the gateway is started again, callers are told so.
    func unload(_ name: String, _ token: String?) async throws(GatewayFailure) {
        try await authorize(token)
        try await manager.unload(name)
    }

    /// Whether the bearer may have any registered version loaded, which for a Python model runs its
    /// code: people only, also not the gateway's own token.
    func authorizeQuestion(_ token: String?) async throws(GatewayFailure) {
        try await authorize(token)
    }

    private func authorize(_ token: String?) async throws(GatewayFailure) {
        guard let tokens else { return }
        guard let token else { throw .tokenMissing }
        switch await tokens.administrator(token) {
        case .known: return
        case .unknown: throw .notAdministrator
        case .unverifiable: throw .tokenUnverifiable
        case .tooManyAttempts: throw .tooManyAttempts
        }
    }
}
