import AloftDomain
import NIOCore

/// What all event loops of a gateway have in common. Never changes.
final class GatewayShared: Sendable {
    let configuration: GatewayConfiguration
    let time: TimeSource
    let tokens: TokenGate?
    /// Brings an endpoint's models back into memory; returns when they are there, or when the time is
    /// over.
    let wake: @Sendable (_ endpoint: String, _ within: Duration) async -> Void
    /// The reply to `GET /metrics`; asked for rarely.
    let metrics: @Sendable () async -> String
    let repository: ModelRepository

    init(
        configuration: GatewayConfiguration, time: TimeSource, tokens: TokenGate?,
        repository: ModelRepository,
        wake: @escaping @Sendable (String, Duration) async -> Void,
        metrics: @escaping @Sendable () async -> String
    ) {
        self.configuration = configuration
        self.time = time
        self.tokens = tokens
        self.wake = wake
        self.metrics = metrics
        self.repository = repository
    }
}
