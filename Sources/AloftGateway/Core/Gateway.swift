package import AloftClient
package import AloftDomain
import AloftEdge
import AloftInference
import AloftWire
import Foundation
package import Logging
import NIOCore
import NIOHTTP1
import NIOPosix

/// The data plane's process: answers predictions as the desired state says.
package struct Gateway: Sendable {
    let configuration: GatewayConfiguration
    private let client: ServerClient
    private let tokens: TokenGate?
    private let python: (any PythonModelLoader)?
    let doors: [any GatewayDoor]
    let time: TimeSource
    private let chance: Chance
    private let logger: Logger

    /// - Parameters:
    ///   - client: calls the server with the gateway's own token.
    ///   - tokens: checks callers; `nil` lets everybody in.
    ///   - doors: further protocols to serve.
    package init(
        configuration: GatewayConfiguration, client: ServerClient, tokens: TokenGate?,
        python: (any PythonModelLoader)?, doors: [any GatewayDoor] = [], time: TimeSource,
        chance: Chance, logger: Logger
    ) {
        self.configuration = configuration
        self.client = client
        self.tokens = tokens
        self.python = python
        self.doors = doors
        self.time = time
        self.chance = chance
        self.logger = logger
    }

    /// Runs until the task is cancelled or another gateway has taken over, then answers what has begun
    /// and ends.
    ///
    /// Where a gateway runs on the same folder and address, this one loads its models first, then
    /// takes over the socket on which clients knock; no connection is refused.
    ///
    /// - Parameter onListening: called with the address when requests are taken.
    /// - Throws: `InferenceError.runtimeMissing`, `GatewayStartFailure`, or an `IOError` where it
    ///   cannot listen.
    package func run(
        onListening: @escaping @Sendable (ListenAddress) -> Void = { _ in }
    ) async throws {
        try FileManager.default.createDirectory(
            atPath: configuration.folder, withIntermediateDirectories: true)
        let predecessor = Predecessor(folder: configuration.folder)
        let library = try OnnxLibrary(path: configuration.onnxLibraryPath)
        let logFolder = try PredictionLogFolder(path: configuration.folder + "/predictions") {
            PredictionID.hexadecimal(chance.next(), 16)
        }
        let log = PredictionLogWriter(
            folder: logFolder, limitBytes: configuration.logLimitBytes, logger: logger)
        let accessLog = try configuration.accessLogPath.map {
            try AccessLog(path: $0, logger: logger)
        }
        let id = try gatewayID()
        let shipper = PredictionShipper(
            folder: logFolder, time: time, logger: logger,
            send: PredictionShipper.sender(client, gateway: id, log: logFolder.name))
        let group = MultiThreadedEventLoopGroup(numberOfThreads: configuration.threads)
        let threads = NIOThreadPool(numberOfThreads: max(2, System.coreCount))
        threads.start()
        let incarnation = chance.next()
        let (wakes, wake) = AsyncStream.makeStream(
            of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let tables = ConnectionTables(limit: .raised())
        let loops = EventLoops(group: group, tables: tables)
        let crashes = try CrashLedger(folder: configuration.folder)
        library.watchCrashes(descriptor: crashes.descriptor)
        let models = try ModelStore(folder: configuration.folder + "/models", client: client)
        let loader = RevisionLoader(
            library: library, models: models, threads: threads, configuration: configuration,
            python: python, loops: configuration.threads, crashes: crashes)
        let registered = RegisteredVersions(client: client, loader: loader, threads: threads)
        let fleet = Fleet(
            loader: loader, memoryBytes: configuration.modelMemoryBytes, time: time, logger: logger,
            publish: { await loops.publish($0) }, changed: { wake.yield() })
        let repository = ModelRepository(fleet: fleet, tokens: tokens)
        let shadows = ShadowRunner(limit: configuration.shadowQueueLimit)
        let large = LargeBodies(threads: max(1, System.coreCount / 2))
        let unrouted = UnroutedCounts()
        let shared = GatewayShared(
            configuration: configuration, time: time, tokens: tokens, repository: repository,
            accessLog: accessLog, registered: registered, shadows: shadows, large: large,
            tables: tables, unrouted: unrouted,
            wake: { await fleet.wake($0, within: $1) },
            metrics: {
                PrometheusText.make(
                    await fleet.readings(),
                    .init(
                        connections: await loops.connectionCount(),
                        desiredRevision: await fleet.desiredRevision, log: log.counts,
                        shipping: shipper.counts, shadows: shadows.reports(),
                        memory: await fleet.memory, unrouted: unrouted.read))
            })
        try await loops.start(
            shared: shared, log: log, incarnation: incarnation, seeds: { chance.next() })

        let follower = DesiredStateFollower(
            client: client, path: configuration.folder + "/desired-state.json", time: time,
            logger: logger, apply: { await fleet.apply($0, isFromDisk: false) },
            tokensEnded: { [tokens] in await tokens?.forgetEnded() })
        let stored = follower.stored()
        if let stored { await fleet.apply(stored, isFromDisk: true) }
        let (succession, handed) = try await takeSockets(predecessor, fleet)
        let socket = try succession?.socket ?? ListeningSocket.open(configuration.listen)
        let channel = try await accept(on: socket, group, loops)
        let (taken, endOfTurn) = AsyncStream.makeStream(of: Void.self)
        let point = try HandoverPoint(
            folder: configuration.folder, listen: configuration.listen,
            listener: socket.descriptor, logger: logger,
            pause: { try? channel.setOption(ChannelOptions.autoRead, value: !$0).wait() },
            onTaken: { endOfTurn.finish() })
        point.expectLetGo(doors.count)
        try succession?.confirm()
        let address = ListenAddress(
            host: configuration.listen.host, port: socket.port ?? configuration.listen.port)
        logger.info(
            "listening", metadata: ["url": "\(address.url)", "runtime": "\(library.version)"])
        onListening(address)

        let reporter = Reporter(
            client: client, gateway: id,
            incarnation: String(incarnation, radix: 16), fleet: fleet, shadows: shadows,
            unrouted: unrouted, time: time, logger: logger)
        let access = InferenceAccess(
            loops: loops, shared: shared, repository: repository,
            doorClosed: { point.letGo() })
        let isSuccessor = predecessor != nil
        var failure: (any Error)?
        do {
            try await withThrowingDiscardingTaskGroup { tasks in
                for door in doors {
                    tasks.addTask {
                        // A door that cannot be opened ends the wait below, and the gateway.
                        defer { endOfTurn.finish() }
                        let socket = try await open(
                            door, handed: handed[door.listen], isSuccessor: isSuccessor)
                        let copy = try socket.copy()
                        point.offer(socket, at: door.listen)
                        // Two must not accept from one socket at a time.
                        try? await threads.runIfActive { succession?.waitUntilLetGo() }
                        try await door.serve(access, at: copy)
                    }
                }
                tasks.addTask { await follower.run(from: stored) }
                tasks.addTask { await reporter.run(wakes: wakes) }
                if configuration.shipsLog { tasks.addTask { await shipper.run() } }
                tasks.addTask {
                    while !Task.isCancelled {
                        try? await time.clock.sleep(for: .milliseconds(500))
                        await loops.tick()
                    }
                    wake.finish()
                }
                // Ends with the task, or when another gateway has taken over.
                for await _ in taken {}
                point.close()
                try? await channel.close()
                socket.close()
                // Doors end while connections of HTTP/1.1 do.
                tasks.cancelAll()
                await drain(loops, fleet, isSucceeded: point.isTaken)
            }
        } catch {
            failure = error
        }
        await loops.tick()
        await shadows.stop()
        await large.stop()
        await fleet.stop()
        await registered.stop()
        await log.close()
        await accessLog?.end()
        try? await threads.shutdownGracefully()
        try? await group.shutdownGracefully()
        if let failure { throw failure }
    }

    private func accept(
        on socket: ListeningSocket, _ group: MultiThreadedEventLoopGroup, _ loops: EventLoops
    ) async throws -> any Channel {
        let tables = loops.tables
        return try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelInitializer { listener in
                listener.eventLoop.makeCompletedFuture {
                    try listener.pipeline.syncOperations.addHandler(AcceptGuard(tables: tables))
                }
            }
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let state = try loops.state(of: channel.eventLoop)
                    let connection = ConnectionHandler(loop: state)
                    let plain = PlainRequestReader(
                        bodyLimitBytes: connection.bodyLimitBytes, take: connection.take
                    ) {
                        ByteToMessageHandler(
                            HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes))
                    }
                    try channel.pipeline.syncOperations.addHandlers([plain, connection])
                }
            }
            .withBoundSocket(try socket.copy().descriptor).get()
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
