package import AloftClient
package import AloftDomain
import AloftInference
import AloftWire
import Foundation
package import Logging
import NIOCore
import NIOHTTP1
import NIOPosix

/// The data plane's process: answers predictions as the desired state says.
package struct Gateway: Sendable {
    private let configuration: GatewayConfiguration
    private let client: ServerClient
    private let tokens: TokenGate?
    private let python: (any PythonModelLoader)?
    private let doors: [any GatewayDoor]
    private let time: TimeSource
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
        let loops = EventLoops(group: group)
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
        let shared = GatewayShared(
            configuration: configuration, time: time, tokens: tokens, repository: repository,
            accessLog: accessLog, registered: registered, shadows: shadows,
            wake: { await fleet.wake($0, within: $1) },
            metrics: {
                PrometheusText.make(
                    await fleet.readings(),
                    .init(
                        connections: await loops.connectionCount(),
                        desiredRevision: await fleet.desiredRevision, log: log.counts,
                        shipping: shipper.counts, shadows: shadows.reports(),
                        memory: await fleet.memory))
            })
        try await loops.start(
            shared: shared, log: log, incarnation: incarnation, seeds: { chance.next() })

        let follower = DesiredStateFollower(
            client: client, path: configuration.folder + "/desired-state.json", time: time,
            logger: logger, apply: { await fleet.apply($0, isFromDisk: false) })
        let stored = follower.stored()
        if let stored { await fleet.apply(stored, isFromDisk: true) }
        let socket = try await openSocket(predecessor, fleet)
        let channel = try await accept(on: socket, group, loops)
        let (taken, endOfTurn) = AsyncStream.makeStream(of: Void.self)
        let point = try HandoverPoint(
            folder: configuration.folder, listen: configuration.listen,
            listener: socket.descriptor, logger: logger, onTaken: { endOfTurn.finish() })
        try predecessor?.confirm()
        let address = ListenAddress(
            host: configuration.listen.host, port: socket.port ?? configuration.listen.port)
        logger.info(
            "listening", metadata: ["url": "\(address.url)", "runtime": "\(library.version)"])
        onListening(address)

        let reporter = Reporter(
            client: client, gateway: id,
            incarnation: String(incarnation, radix: 16), fleet: fleet, shadows: shadows, time: time,
            logger: logger)
        let access = InferenceAccess(loops: loops, shared: shared, repository: repository)
        let isSuccessor = predecessor != nil
        var failure: (any Error)?
        do {
            try await withThrowingDiscardingTaskGroup { tasks in
                for door in doors {
                    tasks.addTask {
                        // A door that cannot be opened ends the wait below, and the gateway.
                        defer { endOfTurn.finish() }
                        try await open(door, access, isSuccessor: isSuccessor)
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
                tasks.cancelAll()
            }
        } catch {
            failure = error
        }
        point.close()
        try? await channel.close()
        socket.close()
        await drain(loops, isSucceeded: point.isTaken)
        await shadows.stop()
        await fleet.stop()
        await registered.stop()
        await log.close()
        await accessLog?.end()
        try? await threads.shutdownGracefully()
        try? await group.shutdownGracefully()
        if let failure { throw failure }
    }

    /// Lets connections answer what they have, for at most ten seconds. Where another gateway took
    /// over, they first have time to end at an answer of their own, so that no client finds its idle
    /// connection closed just as it sends. Runs in a cancelled task, so it waits in one of its own.
    private func drain(_ loops: EventLoops, isSucceeded: Bool) async {
        let (time, grace) = (time, isSucceeded ? configuration.handoverGrace : .zero)
        await Task.detached {
            func wait(_ limit: Duration) async {
                for _ in 0..<max(0, Int(limit / .milliseconds(50))) {
                    if await loops.connectionCount() == 0 { break }
                    try? await time.clock.sleep(for: .milliseconds(50))
                    await loops.tick()
                }
            }
            if grace > .zero {
                await loops.drain(closingIdle: false)
                await wait(grace)
            }
            await loops.drain(closingIdle: true)
            await wait(.seconds(10))
            await loops.tick()
        }.value
    }

    /// Serves at a further door. The gateway before lets go of its address only when this one has taken
    /// over, so it is tried for a while.
    private func open(
        _ door: any GatewayDoor, _ access: InferenceAccess, isSuccessor: Bool
    ) async throws {
        for attempt in 0... {
            do {
                return try await door.serve(access)
            } catch  where isSuccessor && attempt < 400 && !Task.isCancelled {
                try? await time.clock.sleep(for: .milliseconds(25))
            }
        }
    }

    /// The socket of the gateway before, once this one can answer what that one answers; else a new
    /// one.
    private func openSocket(
        _ predecessor: Predecessor?, _ fleet: Fleet
    ) async throws -> ListeningSocket {
        guard let predecessor else { return try ListeningSocket.open(configuration.listen) }
        await fleet.settle(within: configuration.handoverPatience)
        return try predecessor.take(configuration.listen)
    }

    private func accept(
        on socket: ListeningSocket, _ group: MultiThreadedEventLoopGroup, _ loops: EventLoops
    ) async throws -> any Channel {
        try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1024)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let state = try loops.state(of: channel.eventLoop)
                    let decoder = HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes)
                    let connection = ConnectionHandler(loop: state)
                    let plain = PlainRequestReader(
                        bodyLimitBytes: connection.bodyLimitBytes, take: connection.take)
                    try channel.pipeline.syncOperations.addHandlers([
                        plain, ByteToMessageHandler(decoder), connection,
                    ])
                }
            }
            .withBoundSocket(try socket.copy()).get()
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
