import AloftDomain
import NIOCore

/// What all event loops of a gateway have in common. Never changes.
final class GatewayShared: Sendable {
    let configuration: GatewayConfiguration
    let time: TimeSource
    let tokens: TokenGate?
    /// The reply to `GET /metrics`; asked for rarely.
    let metrics: @Sendable () async -> String
    let repository: ModelRepository
    let shadows: ShadowRunner

    init(
        configuration: GatewayConfiguration, time: TimeSource, tokens: TokenGate?,
        repository: ModelRepository, shadows: ShadowRunner,
        metrics: @escaping @Sendable () async -> String
    ) {
        self.configuration = configuration
        self.time = time
        self.tokens = tokens
        self.shadows = shadows
        self.metrics = metrics
        self.repository = repository
    }
}
