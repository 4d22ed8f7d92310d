import AloftDomain
import AloftEdge
import NIOCore

/// What all event loops of a gateway have in common. Never changes.
final class GatewayShared: Sendable {
    let configuration: GatewayConfiguration
    let time: TimeSource
    let tokens: TokenAuthenticator?
    let accessLog: AccessLog?
    /// Versions that are asked without being deployed.
    let registered: RegisteredVersions
    /// Brings an endpoint's models back into memory; returns when they are there, or when the time is
    /// over.
    let loadOnDemand: @Sendable (_ endpoint: String, _ within: Duration) async -> Void
    /// The reply to `GET /metrics`; asked for rarely.
    let metrics: @Sendable () async -> String
    let repository: ModelRepository
    let shadows: ShadowRunner
    /// The names that callers may ask under.
    let hosts: HostCheck
    /// The memory of bodies.
    let bodies: ByteBudget
    let tables: ConnectionTables
    let large: LargeBodies
    let unrouted: UnroutedCounts

    init(
        configuration: GatewayConfiguration, time: TimeSource, tokens: TokenAuthenticator?,
        repository: ModelRepository, accessLog: AccessLog?, registered: RegisteredVersions,
        shadows: ShadowRunner, large: LargeBodies, tables: ConnectionTables,
        unrouted: UnroutedCounts,
        loadOnDemand: @escaping @Sendable (String, Duration) async -> Void,
        metrics: @escaping @Sendable () async -> String
    ) {
        self.configuration = configuration
        hosts = HostCheck(
            listen: [configuration.listen] + (configuration.grpcListen.map { [$0] } ?? []),
            names: configuration.hostNames)
        bodies = ByteBudget(
            limitBytes: configuration.bodyBudgetBytes
                ?? ByteBudget.share(largest: configuration.bodyLimitBytes))
        self.tables = tables
        self.time = time
        self.tokens = tokens
        self.accessLog = accessLog
        self.registered = registered
        self.shadows = shadows
        self.large = large
        self.unrouted = unrouted
        self.loadOnDemand = loadOnDemand
        self.metrics = metrics
        self.repository = repository
    }
}
