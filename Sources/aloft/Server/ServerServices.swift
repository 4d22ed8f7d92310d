import AloftAPI
import AloftArtifacts
import AloftClient
import AloftCompute
import AloftControl
import AloftDomain
import AloftProcess
import AloftStore
import Logging

/// What the command line asked for, checked.
struct ServerConfiguration: Sendable {
    /// Absolute.
    let dataPath: String
    let listen: ListenAddress
    /// Where the gateway child listens; none is run without it.
    let gateway: ListenAddress?
    /// Where it answers over gRPC; nowhere without it.
    let gatewayGRPC: ListenAddress?
    let access: PrincipalFinder.Access
    let sharePath: String?
    let retention: PredictionArchive.Retention
    let webhookReach: WebhookTarget.Reach
    let logLevel: Logger.Level
    /// Names beside that of `listen` under which the server and its gateway are asked.
    var hostNames: [String] = []
    /// Below which a reverse proxy shows the server.
    var basePath = BasePath.root
    /// Memory for models in the gateway child; all that there is if not given.
    var modelMemoryMebibytes: Int?
    /// How everything that users run is isolated.
    var isolation = IsolationPolicy.off
    /// What was asked for, handed on to the gateway.
    var wantedIsolation = "auto"
    var jobLimits = JobLimits()
    /// Requirements of models and jobs may name any source of packages.
    var allowsAnySource = false
}

/// What every part of the server is made from; the composition root hands it out.
struct ServerServices: Sendable {
    let folder: DataFolder
    let store: Store
    /// Files that runs and models log, by path.
    let artifacts: ArtifactFolder
    /// Blobs by digest: code, servables, checkpoints.
    let blobs: BlobStore
    /// Predictions that gateways logged.
    let predictions: PredictionArchive
    let time: TimeSource
    let chance: Chance
    let logger: Logger
    let configuration: ServerConfiguration
    let reserve: DiskReserve
    /// What the server shows where it speaks TLS.
    var certificate: ServerCertificate?
    let restart = RestartSignal()

    /// How webhooks are reached.
    var webhooks: WebhookSender { WebhookHTTPSender(reach: configuration.webhookReach).sender }
}
