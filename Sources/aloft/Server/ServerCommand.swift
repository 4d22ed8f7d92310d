import AloftAPI
import AloftArtifacts
import AloftCompute
import AloftControl
import AloftDomain
import AloftProcess
import AloftStore
import ArgumentParser
import Foundation
import Logging

struct ServerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "server",
        abstract: "Run the control plane, and a gateway beside it.",
        discussion: """
            Example: aloft server --data ./aloft-data

            On loopback everybody on this machine may ask. On any other address callers must send a
            token: start with --auth and make the first one with
            `aloft token create NAME --data DIR`.
            """)

    @Option(help: ArgumentHelp("The folder where everything is kept.", valueName: "dir"))
    var data = "./aloft-data"

    @Option(help: ArgumentHelp("Where to listen.", valueName: "host:port"))
    var listen = "127.0.0.1:5000"

    @Option(
        help: ArgumentHelp(
            "Where the gateway beside it answers predictions.", valueName: "host:port"))
    var gateway = "127.0.0.1:5001"

    @Option(
        help: ArgumentHelp(
            "Where that gateway answers over gRPC as well, such as 127.0.0.1:5002; nowhere if not "
                + "given.", valueName: "host:port"))
    var gatewayGrpc: String?

    @Flag(name: .customLong("no-gateway"), help: "Run no gateway beside the server.")
    var withoutGateway = false

    @Option(
        help: ArgumentHelp(
            "Memory for models in the gateway beside it, in MiB; see `aloft gateway --help`.",
            valueName: "mib"))
    var modelMemory: Int?

    @Option(
        help: ArgumentHelp(
            "A name under which this server and its gateway are asked, such as that of the proxy "
                + "before them; may be given again. Beside it they answer to localhost and to where "
                + "they listen.", valueName: "name"))
    var host: [String] = []

    @Option(
        help: ArgumentHelp(
            "The path below which a reverse proxy shows this server, such as /team/aloft. A proxy "
                + "that sends X-Forwarded-Prefix says it itself.", valueName: "path"))
    var basePath: String?

    @Flag(help: "Ask every caller for a token.")
    var auth = false

    @Option(
        help: ArgumentHelp(
            "The folder with the python package that converts models; found by itself beside the "
                + "program.", valueName: "dir"))
    var share: String?

    @Option(help: "Days for which predictions are kept.")
    var keepPredictions = 30

    @Option(
        help: ArgumentHelp(
            "What predictions may take on disk, in GiB; the oldest go first.", valueName: "gib"))
    var predictionSpace = 10

    @Flag(
        name: .customLong("webhooks-anywhere"),
        help: "Let webhooks go to plain http and to private addresses.")
    var webhooksAnywhere = false

    @OptionGroup var isolation: IsolationOptions

    @Option(
        help: ArgumentHelp(
            "What a job's log may take, in MiB; the first part and the end are kept.",
            valueName: "mib"))
    var jobLogLimit = 64

    @Option(
        help: ArgumentHelp(
            "What a job's working folder and checkpoints may take, in GiB.", valueName: "gib"))
    var jobDiskLimit = 100

    @Flag(
        name: .customLong("packages-from-anywhere"),
        help: "Let requirements of models and jobs name package indexes and places of their own.")
    var packagesFromAnywhere = false

    @Option(
        help: ArgumentHelp(
            "Speak TLS: a PEM file with the certificate and those that lead to its authority. Read "
                + "again when it changes.", valueName: "file"))
    var tlsCertificate: String?

    @Option(help: ArgumentHelp("The PEM file of that certificate's key.", valueName: "file"))
    var tlsKey: String?

    @Flag(
        help: ArgumentHelp(
            "Go on although the database is gone, damaged or older than what was acknowledged; see "
                + "docs/operations/back-up-and-restore.md."))
    var acceptLoss = false

    @Option(help: "How much to log: debug, info, warning or error.")
    var logLevel = "info"

    func run() async throws {
        ThisProcess.forbidInspection()
        var configuration = try makeConfiguration()
        PrivateFiles.begin()
        let folder = try DataFolder(path: configuration.dataPath)
        CrashReports(folder: configuration.dataPath + "/crash-reports").beginAgain()
        let certificate = try makeCertificate()
        let chance = Chance.live()
        let logger = Self.makeLogger(level: configuration.logLevel)
        PrivateFiles.close(folder.path, logger: logger)
        configuration.wantedIsolation = isolation.isolation
        configuration.isolation = try isolation.policy(hiding: [folder.path], logger: logger)
        let store = try StoreOpening(
            folder: folder, acceptsLoss: acceptLoss, time: .live, logger: logger
        ).open()
        var services = ServerServices(
            folder: folder, store: store,
            artifacts: try ArtifactFolder(root: folder.artifactsPath, chance: chance),
            blobs: try BlobStore(root: folder.blobsPath, chance: chance),
            predictions: PredictionArchive(
                store: store, folder: folder.predictionsPath, time: .live, logger: logger),
            time: .live, chance: chance, logger: logger, configuration: configuration,
            reserve: DiskReserve(folder: folder.path, clock: TimeSource.live.clock))
        services.certificate = certificate
        do {
            try await Server(services: services).run()
        } catch {
            try? store.close()
            throw error
        }
        try store.close()
    }

    private func makeCertificate() throws -> ServerCertificate? {
        switch (tlsCertificate, tlsKey) {
        case (nil, nil): return nil
        case (let certificate?, let key?):
            return try ServerCertificate(certificate: certificate, key: key)
        case (_?, nil), (nil, _?):
            throw CommandFailure.usage("--tls-certificate and --tls-key go together")
        }
    }

    /// Every fault of the command line at once.
    private func makeConfiguration() throws -> ServerConfiguration {
        var faults: [String] = []
        let listen = ListenAddress(self.listen)
        if listen == nil { faults.append("--listen \(self.listen): expected HOST:PORT") }
        let gateway = ListenAddress(self.gateway)
        if gateway == nil { faults.append("--gateway \(self.gateway): expected HOST:PORT") }
        let grpc = gatewayGrpc.flatMap { ListenAddress($0) }
        if let gatewayGrpc, grpc == nil {
            faults.append("--gateway-grpc \(gatewayGrpc): expected HOST:PORT")
        }
        let level = Logger.Level(rawValue: logLevel)
        if level == nil {
            faults.append("--log-level \(logLevel): expected debug, info, warning or error")
        }
        faults += HostOption.faults(host)
        let base = BasePath(basePath ?? "")
        faults += BasePathOption.faults(basePath, base)
        for (option, value) in [
            ("--keep-predictions", keepPredictions), ("--prediction-space", predictionSpace),
            ("--job-log-limit", jobLogLimit), ("--job-disk-limit", jobDiskLimit),
        ] where !(1...1_000_000).contains(value) {
            faults.append("\(option) \(value): expected a whole number from 1")
        }
        if let modelMemory, modelMemory < 1 || modelMemory > 1 << 24 {
            faults.append("--model-memory \(modelMemory): expected 1 to 16777216 MiB")
        }
        for (option, address) in [
            ("--listen", listen), ("--gateway", gateway), ("--gateway-grpc", grpc),
        ] {
            guard let address, !address.isLoopback, !auth else { continue }
            if option != "--listen", withoutGateway { continue }
            faults.append(
                "\(option) \(address) is not loopback, and without authentication anybody who "
                    + "reaches it could run commands here. Add --auth, and make a token with "
                    + "`aloft token create NAME --data \(data)`.")
        }
        guard faults.isEmpty, let listen, let gateway, let level else {
            throw CommandFailure.usage(faults.joined(separator: "\n"))
        }
        var configuration = ServerConfiguration(
            dataPath: URL(fileURLWithPath: data).standardizedFileURL.path, listen: listen,
            gateway: withoutGateway ? nil : gateway, gatewayGRPC: grpc,
            access: auth ? .tokenRequired : .open,
            sharePath: share,
            retention: .init(days: keepPredictions, bytes: Int64(predictionSpace) << 30),
            webhookReach: webhooksAnywhere ? .anywhere : .publicHosts, logLevel: level)
        configuration.modelMemoryMebibytes = modelMemory
        configuration.jobLimits = JobLimits(
            logBytes: jobLogLimit << 20, diskBytes: Int64(jobDiskLimit) << 30)
        configuration.hostNames = host
        configuration.basePath = base ?? .root
        configuration.allowsAnySource = packagesFromAnywhere
        return configuration
    }

    private static func makeLogger(level: Logger.Level) -> Logger {
        var logger = Logger(label: "aloft") { PrintableLogHandler(label: $0) }
        logger.logLevel = level
        return logger
    }
}
