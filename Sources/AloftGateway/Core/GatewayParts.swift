import AloftDomain
import AloftEdge
import AloftInference
import Foundation
import NIOCore
import NIOPosix

/// What one run of a gateway is made of, from its start to its end.
struct GatewayParts: Sendable {
    let id: GatewayID
    /// New at each start; predictions are named after it.
    let incarnation: UInt64
    /// The gateway whose place this one takes.
    let predecessor: Predecessor?
    let library: OnnxLibrary
    let group: MultiThreadedEventLoopGroup
    /// For what waits: files, models, other processes.
    let threads: NIOThreadPool
    let loops: EventLoops
    let log: PredictionLogWriter
    let shipper: PredictionShipper
    let manager: ModelManager
    let shared: GatewayShared
    let follower: DesiredStateFollower
    let reporter: Reporter
    /// When a report is due.
    let reportsDue: AsyncStream<Void>
    let reportDue: AsyncStream<Void>.Continuation

    /// Ends what was begun, in an order in which nothing is lost.
    func stop() async {
        await loops.tick()
        await shared.shadows.stop()
        await shared.large.stop()
        await manager.stop()
        await shared.registered.stop()
        await log.close()
        await shared.accessLog?.end()
        try? await threads.shutdownGracefully()
        try? await group.shutdownGracefully()
    }
}

extension Gateway {
    /// Opens the folder and its files, and starts threads; nobody is answered yet.
    ///
    /// - Throws: `InferenceError.runtimeMissing`, or what the file system says.
    func makeParts() throws -> GatewayParts {
        try FileManager.default.createDirectory(
            atPath: configuration.folder, withIntermediateDirectories: true)
        let predecessor = Predecessor(folder: configuration.folder)
        let library = try OnnxLibrary(path: configuration.onnxLibraryPath)
        let (log, shipper, id) = try openLog()
        let accessLog = try configuration.accessLogPath.map {
            try AccessLog(path: $0, logger: logger)
        }
        let group = MultiThreadedEventLoopGroup(numberOfThreads: configuration.threads)
        let threads = NIOThreadPool(numberOfThreads: max(2, System.coreCount))
        threads.start()
        let incarnation = chance.next()
        let (reportsDue, reportDue) = AsyncStream.makeStream(
            of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let loops = EventLoops(group: group, tables: ConnectionTables(limit: .raised()))
        let loader = try makeLoader(library, threads)
        let manager = ModelManager(
            loader: loader, memoryBytes: configuration.modelMemoryBytes, time: time, logger: logger,
            publish: { await loops.publish($0) }, changed: { reportDue.yield() })
        let (shadows, unrouted) = (
            ShadowRunner(limit: configuration.shadowQueueLimit), UnroutedCounts()
        )
        let shared = GatewayShared(
            configuration: configuration, time: time, tokens: tokens,
            repository: ModelRepository(manager: manager, tokens: tokens), accessLog: accessLog,
            registered: RegisteredVersions(client: client, loader: loader, threads: threads),
            shadows: shadows, large: LargeBodies(threads: max(1, System.coreCount / 2)),
            tables: loops.tables, unrouted: unrouted,
            loadOnDemand: { await manager.loadOnDemand($0, within: $1) },
            metrics: {
                PrometheusText.make(
                    await manager.readings(),
                    .init(
                        connections: await loops.connectionCount(),
                        desiredRevision: await manager.desiredRevision, log: log.counts,
                        shipping: shipper.counts, shadows: shadows.reports(),
                        memory: await manager.memory, unrouted: unrouted.read))
            })
        return GatewayParts(
            id: id, incarnation: incarnation, predecessor: predecessor, library: library,
            group: group, threads: threads, loops: loops, log: log, shipper: shipper,
            manager: manager,
            shared: shared, follower: makeFollower(manager),
            reporter: Reporter(
                client: client, gateway: id, incarnation: String(incarnation, radix: 16),
                manager: manager, shadows: shadows, unrouted: unrouted, time: time, logger: logger),
            reportsDue: reportsDue, reportDue: reportDue)
    }

    private func openLog() throws -> (PredictionLogWriter, PredictionShipper, GatewayID) {
        let folder = try PredictionLogFolder(path: configuration.folder + "/predictions") {
            PredictionID.hexadecimal(chance.next(), 16)
        }
        let log = PredictionLogWriter(
            folder: folder, limitBytes: configuration.logLimitBytes, logger: logger)
        let id = try gatewayID()
        let shipper = PredictionShipper(
            folder: folder, time: time, logger: logger,
            send: PredictionShipper.sender(client, gateway: id, log: folder.name))
        return (log, shipper, id)
    }

    private func makeLoader(
        _ library: OnnxLibrary, _ threads: NIOThreadPool
    ) throws -> RevisionLoader {
        let crashes = try CrashLedger(folder: configuration.folder)
        library.watchCrashes(descriptor: crashes.descriptor)
        let models = try ModelStore(folder: configuration.folder + "/models", client: client)
        return RevisionLoader(
            library: library, models: models, threads: threads, configuration: configuration,
            python: python, loops: configuration.threads, crashes: crashes)
    }

    private func makeFollower(_ manager: ModelManager) -> DesiredStateFollower {
        DesiredStateFollower(
            client: client, path: configuration.folder + "/desired-state.json", time: time,
            logger: logger, apply: { await manager.apply($0, isFromDisk: false) },
            tokensEnded: { [tokens] in await tokens?.forgetEnded() })
    }

    /// The gateway's name, made once and kept in its folder.
    private func gatewayID() throws -> GatewayID {
        let path = configuration.folder + "/gateway-id"
        if let text = try? String(contentsOfFile: path, encoding: .utf8), !text.isEmpty {
            return GatewayID(text)
        }
        let id: GatewayID = chance.identifier(prefix: "gw-")
        try DiskSync.write(Data(id.rawValue.utf8), to: path)
        return id
    }
}
