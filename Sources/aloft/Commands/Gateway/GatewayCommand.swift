import AloftClient
import AloftDomain
import AloftGRPC
import AloftGateway
import AloftInference
import AloftProcess
import AloftWire
import ArgumentParser
import Foundation
import Logging
import NIOCore
import UnixSignals

struct GatewayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gateway",
        abstract: "Run a data plane: answer predictions as the server's deployments say.",
        discussion: """
            Example: aloft gateway --server http://127.0.0.1:5000 --data ./gateway-data

            It keeps models and the last known state in its folder, and serves on, and starts, while
            the server is down.

            Started while another runs on the same folder and address, it loads the models, takes the
            other's place without refusing a request, and the other ends: so options change and the
            program is upgraded.
            """)

    @Option(
        help: ArgumentHelp("The server to follow; else ALOFT_SERVER.", valueName: "url"))
    var server: String?

    @Option(help: ArgumentHelp("The folder for models and the prediction log.", valueName: "dir"))
    var data = "./gateway-data"

    @Option(help: ArgumentHelp("Where to answer predictions.", valueName: "host:port"))
    var listen = "127.0.0.1:5001"

    @Option(
        help: ArgumentHelp(
            "Where to answer predictions over gRPC as well; nowhere if not given.",
            valueName: "host:port"))
    var grpc: String?

    @Option(
        help: ArgumentHelp(
            "How long what was accepted may take to be answered when the gateway ends; the rest is "
                + "shed.", valueName: "seconds"))
    var drainLimit = 10

    @Option(
        help: ArgumentHelp(
            "How long a request may take to come whole, and a new client may say nothing.",
            valueName: "seconds"))
    var requestTimeout = 30

    @Option(
        help: ArgumentHelp(
            "A name under which callers ask, such as that of the proxy before it; may be given again. "
                + "Beside it the gateway answers to localhost and to where it listens.",
            valueName: "name"))
    var host: [String] = []

    @Flag(help: "Ask every caller for a token that the server knows.")
    var auth = false

    @Option(help: "Event loops that answer; small models run on them.")
    var threads = 1

    @Option(help: ArgumentHelp("The largest body of a request, in MiB.", valueName: "mib"))
    var bodyLimit = 64

    @Option(
        help: ArgumentHelp(
            "What bodies that are being read may take in memory together, in MiB; an eighth of the "
                + "memory that there is if not given.", valueName: "mib"))
    var bodyBudget: Int?

    @Option(
        help: ArgumentHelp(
            "Write a line of JSON for each request to this file.", valueName: "file"))
    var accessLog: String?

    @Option(
        help: ArgumentHelp(
            "What the prediction log may take on disk while the server is away, in MiB.",
            valueName: "mib"))
    var logSpace = 1024

    @Option(
        help: ArgumentHelp(
            "Memory for models, in MiB; beyond it the least recently used are loaded only when asked "
                + "for. All that there is if not given.", valueName: "mib"))
    var modelMemory: Int?

    @Option(
        help: ArgumentHelp(
            "How long an answer may take as a rule: keeps lines and batches short. If not given, a "
                + "request waits until its deadline, or 2 s where it names none.", valueName: "ms"))
    var latencyTarget: Int?

    @Option(
        help: ArgumentHelp(
            "Rows that one call of a model takes at most; 1 never batches.", valueName: "rows"))
    var batchRows = 64

    @Option(
        help: ArgumentHelp(
            "ONNX Runtime's shared library; else ALOFT_ONNXRUNTIME, else the one that `make setup` "
                + "installs.", valueName: "path"))
    var onnxruntime: String?

    @Option(
        help: ArgumentHelp(
            "The interpreter for Python models; else an environment is built for each with uv.",
            valueName: "path"))
    var python: String?

    @Option(
        help: ArgumentHelp(
            "Memory that one worker of a Python model may hold, in MiB.", valueName: "mib"))
    var workerMemory = 4096

    @Option(
        help: ArgumentHelp(
            "The folder with the python package aloft_models; found by itself beside the program.",
            valueName: "dir"))
    var share: String?

    @OptionGroup var isolation: IsolationOptions

    @Option(
        help: ArgumentHelp(
            "Another folder that models' code must not see, such as that of a server.",
            valueName: "dir"))
    var hide: [String] = []

    @Flag(
        name: .customLong("packages-from-anywhere"),
        help: "Let requirements of models name package indexes and places of their own.")
    var packagesFromAnywhere = false

    @Option(help: "How much to log: debug, info, warning or error.")
    var logLevel = "info"

    func run() async throws {
        ThisProcess.forbidInspection()
        let environment = ProcessInfo.processInfo.environment
        let configuration = try makeConfiguration(environment)
        PrivateFiles.begin()
        CrashReports(folder: configuration.folder + "/crash-reports").beginAgain()
        let server = self.server ?? environment["ALOFT_SERVER"] ?? "http://127.0.0.1:5000"
        let token = environment["ALOFT_TOKEN"]
        let client = ServerClient(server: server, token: token, http: ServerOptions.http)
        let logger = Self.makeLogger(level: Logger.Level(rawValue: logLevel) ?? .info)
        PrivateFiles.close(configuration.folder, logger: logger)
        let policy = try isolation.policy(
            hiding: [configuration.folder] + hide, logger: logger)
        let gateway = Gateway(
            configuration: configuration, client: client,
            tokens: auth
                ? TokenAuthenticator(
                    folder: configuration.folder, own: token, time: .live,
                    administrator: { secret in
                        try await Self.principal(secret, client)?.hasPrefix("user:") ?? false
                    },
                    live: { digests in
                        try await client.call(
                            CheckTokens.self, body: .init(digests: digests), timeout: .seconds(5)
                        ).live
                    },
                    ask: { secret in try await Self.principal(secret, client) != nil }) : nil,
            python: pythonModels(configuration, policy, environment, logger),
            listeners: configuration.grpcListen.map {
                [GRPCListener(listen: $0, time: .live, logger: logger)]
            } ?? [], time: .live, chance: .live(), logger: logger)
        do {
            try await Self.runUntilSignal { try await gateway.run() }
        } catch let error as GatewayStartFailure {
            throw CommandFailure(error.message)
        } catch let error as IOError where error.errnoCode == EADDRINUSE {
            throw CommandFailure(
                "\(configuration.listen) is in use by another program. Stop that one, or choose "
                    + "another address with --listen.")
        }
    }

    /// Loads Python models where the package for them is found.
    private func pythonModels(
        _ configuration: GatewayConfiguration, _ policy: IsolationPolicy,
        _ environment: [String: String], _ logger: Logger
    ) -> PythonEnvironments? {
        let program = ProgramPath.current
        guard
            let package = configuration.pythonPackagePath
                ?? Self.found("python/aloft_models", above: program).map({ $0 + "/python" })
        else { return nil }
        let ownUV = Self.found(".tools/uv/bin/uv", above: program).map { $0 + "/.tools/uv/bin/uv" }
        let path = (environment["PATH"] ?? "").split(separator: ":").map { $0 + "/uv" }
        let uv =
            ownUV
            ?? path.first { FileManager.default.isExecutableFile(atPath: String($0)) }
            .map(String.init)
        // Workers run code of models: they get none of our secrets.
        var variables = JobVariables.inherited(
            UserHome.completed(environment, folder: configuration.folder))
        // Many write something there, or cannot be imported.
        if variables["HOME"] == nil { variables["HOME"] = "/tmp" }
        return PythonEnvironments(
            folder: configuration.folder + "/python", interpreter: configuration.workerPython,
            packagePath: package, uv: uv, limits: configuration.workerLimits,
            environment: variables, allowsAnySource: packagesFromAnywhere, isolation: policy,
            socketFolder: IsolationSetup.socketFolder, logger: logger)
    }

    /// The nearest folder above `program` that holds `path`.
    private static func found(_ path: String, above program: String) -> String? {
        var folder = URL(fileURLWithPath: program).deletingLastPathComponent()
        while folder.path != "/" {
            if FileManager.default.fileExists(atPath: folder.appendingPathComponent(path).path) {
                return folder.path
            }
            folder.deleteLastPathComponent()
        }
        return nil
    }

    /// Cancels the work at the first SIGTERM or SIGINT, and waits for it to end in order.
    private static func runUntilSignal(_ work: @escaping @Sendable () async throws -> Void)
        async throws
    {
        let signals = await UnixSignalsSequence(trapping: [.sigterm, .sigint])
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await work() }
            group.addTask {
                for await _ in signals { return }
            }
            try await group.next()
            group.cancelAll()
            for try await _ in group {}
        }
    }

    /// Whose token it is; `nil` where the server does not know it.
    private static func principal(
        _ secret: String, _ client: ServerClient
    ) async throws -> String? {
        do {
            let reply = try await client.bearing(secret).call(WhoAmI.self, timeout: .seconds(5))
            return reply.isKnown ? reply.principal : nil
        } catch ClientError.refused(let status, _, _) where status == 401 || status == 403 {
            return nil
        }
    }

    /// Every fault of the command line at once.
    private func makeConfiguration(_ environment: [String: String]) throws -> GatewayConfiguration {
        var faults: [String] = []
        let address = ListenAddress(listen)
        if address == nil { faults.append("--listen \(listen): expected HOST:PORT") }
        let grpcAddress = grpc.flatMap { ListenAddress($0) }
        if let grpc, grpcAddress == nil { faults.append("--grpc \(grpc): expected HOST:PORT") }
        if Logger.Level(rawValue: logLevel) == nil {
            faults.append("--log-level \(logLevel): expected debug, info, warning or error")
        }
        if auth, environment["ALOFT_TOKEN"] == nil {
            faults.append(
                "--auth: the gateway itself needs a token to follow the server. Set ALOFT_TOKEN to "
                    + "one made with `aloft token create gateway`.")
        }
        faults += sizeFaults + timeFaults
        guard faults.isEmpty, let address else {
            throw CommandFailure.usage(faults.joined(separator: "\n"))
        }
        var configuration = GatewayConfiguration(
            listen: address, folder: URL(fileURLWithPath: data).standardizedFileURL.path,
            onnxLibraryPath: try onnxruntime ?? environment["ALOFT_ONNXRUNTIME"]
                ?? OnnxLibrary.installedPath(nearProgram: ProgramPath.current))
        configuration.grpcListen = grpcAddress
        apply(to: &configuration)
        faults += configuration.faults
        guard faults.isEmpty else { throw CommandFailure.usage(faults.joined(separator: "\n")) }
        return configuration
    }

    private var sizeFaults: [String] {
        var faults: [String] = []
        if !(1...1_000_000).contains(logSpace) {
            faults.append("--log-space \(logSpace): expected a number of MiB from 1")
        }
        if bodyLimit < 1 || bodyLimit > 1 << 20 {
            faults.append("--body-limit \(bodyLimit): expected 1 to 1048576 MiB")
        }
        if let bodyBudget, bodyBudget < bodyLimit || bodyBudget > 1 << 24 {
            faults.append(
                "--body-budget \(bodyBudget): expected from --body-limit, \(bodyLimit), to 16777216 "
                    + "MiB")
        }
        faults += HostOption.faults(host)
        if let modelMemory, modelMemory < 1 || modelMemory > 1 << 24 {
            faults.append("--model-memory \(modelMemory): expected 1 to 16777216 MiB")
        }
        if workerMemory < 64 || workerMemory > 1 << 24 {
            faults.append("--worker-memory \(workerMemory): expected 64 to 16777216 MiB")
        }
        if !(1...4096).contains(batchRows) {
            faults.append("--batch-rows \(batchRows): expected 1 to 4096")
        }
        return faults
    }

    private var timeFaults: [String] {
        var faults: [String] = []
        if !(0...3600).contains(drainLimit) {
            faults.append("--drain-limit \(drainLimit): expected 0 to 3600 seconds")
        }
        if !(1...3600).contains(requestTimeout) {
            faults.append("--request-timeout \(requestTimeout): expected 1 to 3600 seconds")
        }
        if let latencyTarget, latencyTarget < 1 {
            faults.append("--latency-target \(latencyTarget): expected 1 or more")
        }
        return faults
    }

    /// Sets what the command line says apart from addresses and places.
    private func apply(to configuration: inout GatewayConfiguration) {
        configuration.asksForToken = auth
        configuration.threads = threads
        configuration.bodyLimitBytes = bodyLimit << 20
        configuration.bodyBudgetBytes = bodyBudget.map { $0 << 20 }
        configuration.hostNames = host
        configuration.accessLogPath = accessLog
        configuration.logLimitBytes = logSpace << 20
        configuration.modelMemoryBytes = modelMemory.map { $0 << 20 }
        configuration.latencyTarget = latencyTarget.map { .milliseconds($0) }
        configuration.batchRows = batchRows
        configuration.drainLimit = .seconds(drainLimit)
        configuration.requestTimeout = .seconds(requestTimeout)
        configuration.workerMemoryBytes = workerMemory << 20
        configuration.workerPython = python
        configuration.pythonPackagePath = share
    }

    private static func makeLogger(level: Logger.Level) -> Logger {
        var logger = Logger(label: "aloft.gateway") { PrintableLogHandler(label: $0) }
        logger.logLevel = level
        return logger
    }
}
