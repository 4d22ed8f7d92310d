import AloftDomain
import NIOCore

/// What all event loops of a gateway have in common. Never changes.
final class GatewayShared: Sendable {
    let configuration: GatewayConfiguration
    let time: TimeSource
    let tokens: TokenGate?
    let accessLog: AccessLog?
    /// Versions that are asked without being deployed.
    let registered: RegisteredVersions
    /// The reply to `GET /metrics`; asked for rarely.
    let metrics: @Sendable () async -> String
    let repository: ModelRepository

    init(
        configuration: GatewayConfiguration, time: TimeSource, tokens: TokenGate?,
        repository: ModelRepository, accessLog: AccessLog?, registered: RegisteredVersions,
        metrics: @escaping @Sendable () async -> String
    ) {
        self.configuration = configuration
        self.time = time
        self.tokens = tokens
        self.accessLog = accessLog
        self.registered = registered
        self.metrics = metrics
        self.repository = repository
    }
}
