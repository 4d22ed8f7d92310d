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

    /// Runs until the task is cancelled, then answers what has begun and ends.
    ///
    /// - Parameter onListening: called with the address when requests are taken.
    /// - Throws: `InferenceError.runtimeMissing`, or an `IOError` where it cannot listen.
    package func run(
        onListening: @escaping @Sendable (ListenAddress) -> Void = { _ in }
    ) async throws {
        try FileManager.default.createDirectory(
            atPath: configuration.folder, withIntermediateDirectories: true)
        let library = try OnnxLibrary(path: configuration.onnxLibraryPath)
        let log = try PredictionLogWriter(
            folder: configuration.folder + "/predictions", limitBytes: configuration.logLimitBytes,
            logger: logger)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: configuration.threads)
        let threads = NIOThreadPool(numberOfThreads: max(2, System.coreCount))
        threads.start()
        let incarnation = chance.next()
        let (wakes, wake) = AsyncStream.makeStream(
            of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let loops = EventLoops(group: group)
        let fleet = Fleet(
            loader: RevisionLoader(
                library: library,
                models: try ModelStore(folder: configuration.folder + "/models", client: client),
                threads: threads, configuration: configuration, python: python,
                loops: configuration.threads),
            time: time, logger: logger, publish: { await loops.publish($0) },
            changed: { wake.yield() })
        let repository = ModelRepository(fleet: fleet, tokens: tokens)
        let shadows = ShadowRunner(limit: configuration.shadowQueueLimit)
        let shared = GatewayShared(
            configuration: configuration, time: time, tokens: tokens, repository: repository,
            shadows: shadows,
            metrics: {
                PrometheusText.make(
                    await fleet.readings(),
                    .init(
                        connections: await loops.connectionCount(),
                        desiredRevision: await fleet.desiredRevision, log: log.counts,
                        shadows: shadows.reports()))
            })
        try await loops.start(
            shared: shared, log: log, incarnation: incarnation, seeds: { chance.next() })

        let follower = DesiredStateFollower(
            client: client, path: configuration.folder + "/desired-state.json", time: time,
            logger: logger, apply: { await fleet.apply($0) })
        let stored = follower.stored()
        if let stored { await fleet.apply(stored) }
        let channel = try await bind(group, loops)
        let port = channel.localAddress?.port ?? configuration.listen.port
        let address = ListenAddress(host: configuration.listen.host, port: port)
        logger.info(
            "listening", metadata: ["url": "\(address.url)", "runtime": "\(library.version)"])
        onListening(address)

        let reporter = Reporter(
            client: client, gateway: try gatewayID(),
            incarnation: String(incarnation, radix: 16), fleet: fleet, shadows: shadows, time: time,
            logger: logger)
        let access = InferenceAccess(loops: loops, shared: shared, repository: repository)
        var failure: (any Error)?
        do {
            try await withThrowingDiscardingTaskGroup { tasks in
                for door in doors { tasks.addTask { try await door.serve(access) } }
                tasks.addTask { await follower.run(from: stored) }
                tasks.addTask { await reporter.run(wakes: wakes) }
                tasks.addTask {
                    while !Task.isCancelled {
                        try? await time.clock.sleep(for: .milliseconds(500))
                        await loops.tick()
                    }
                    wake.finish()
                }
            }
        } catch {
            failure = error
        }
        try? await channel.close()
        await Self.drain(loops, time)
        await shadows.stop()
        await fleet.stop()
        await log.close()
        try? await threads.shutdownGracefully()
        try? await group.shutdownGracefully()
        if let failure { throw failure }
    }

    /// Lets connections answer what they have, for at most ten seconds. Runs in a cancelled task, so
    /// it waits in one of its own.
    private static func drain(_ loops: EventLoops, _ time: TimeSource) async {
        await Task.detached {
            await loops.drain()
            for _ in 0..<200 {
                if await loops.connectionCount() == 0 { break }
                try? await time.clock.sleep(for: .milliseconds(50))
            }
            await loops.tick()
        }.value
    }

    private func bind(
        _ group: MultiThreadedEventLoopGroup, _ loops: EventLoops
    ) async throws -> any Channel {
        try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let state = try loops.state(of: channel.eventLoop)
                    let decoder = HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes)
                    try channel.pipeline.syncOperations.addHandlers([
                        ByteToMessageHandler(decoder), ConnectionHandler(loop: state),
                    ])
                }
            }
            .bind(host: configuration.listen.host, port: configuration.listen.port).get()
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
