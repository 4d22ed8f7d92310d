import AloftArtifacts
import AloftCompute
import AloftControl
import AloftDomain
import AloftScheduling
import AloftStore
import Foundation

/// What runs jobs on this machine.
struct JobServices: Sendable {
    let executor: LocalExecutor
    private let services: ServerServices

    init(services: ServerServices) {
        self.services = services
        let environment = UserHome.completed(
            ProcessInfo.processInfo.environment, folder: services.folder.path)
        var configuration = LocalExecutor.Configuration(
            jobs: services.folder.jobsPath, environments: services.folder.environmentsPath,
            program: ProgramPath.current, uv: NearbyTools.uv(path: environment["PATH"]),
            variables: JobVariables.inherited(environment),
            isolation: services.configuration.isolation,
            limits: services.configuration.jobLimits)
        configuration.allowsAnySource = services.configuration.allowsAnySource
        executor = LocalExecutor(configuration: configuration)
    }

    var launcher: JobLauncher {
        JobLauncher(
            store: services.store, time: services.time, chance: services.chance,
            allowsAnySource: services.configuration.allowsAnySource, sealer: sealer,
            hasBlob: hasBlob)
    }

    /// What keeps secret variables unreadable.
    var sealer: @Sendable () throws -> VariableSealer {
        { VariableSealer(key: try tokenKey()) }
    }

    var hasBlob: @Sendable (ContentDigest) -> Bool {
        let blobs = services.blobs
        return { (try? blobs.claimWhole($0)) != nil }
    }

    var logs: JobLogs {
        JobLogs(store: services.store, executor: executor, time: services.time)
    }

    var queue: JobQueuePositions { JobQueuePositions(capacity: Self.capacity) }

    func controller(serverURL: String) throws -> JobController {
        JobController(
            store: services.store, executor: executor, time: services.time,
            chance: services.chance, logger: services.logger,
            configuration: .init(
                capacity: Self.capacity, serverURL: serverURL,
                tokenKey: try tokenKey(), blobPath: blobPath))
    }

    private var blobPath: @Sendable (ContentDigest) -> String {
        let root = services.folder.blobsPath
        return { "\(root)/\($0.hex.prefix(2))/\($0.hex)" }
    }

    /// Made once and kept with the data.
    private func tokenKey() throws -> String {
        let folder = services.folder.jobsPath
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700])
        let path = folder + "/token.key"
        if let key = try? String(contentsOfFile: path, encoding: .utf8) {
            if key.count > 32 { return key }
            // Cut short by a disk that was full: nothing was made with it.
            try FileManager.default.removeItem(atPath: path)
        }
        let key = TokenQueries.makeSecret(using: services.chance)
        // Who makes one in the same moment goes on with the one that was first.
        return try DurableFile.create(Data(key.utf8), at: path)
            ? key : try String(contentsOfFile: path, encoding: .utf8)
    }

    /// Every core, and four fifths of the memory.
    private static let capacity: Capacity = {
        let machine = ProcessInfo.processInfo
        return Capacity(
            cpus: Double(machine.activeProcessorCount),
            memoryBytes: Int64(Double(machine.physicalMemory) * 0.8),
            gpuSlots: GraphicsCards.slots())
    }()
}
