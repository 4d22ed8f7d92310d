import AloftAPI
import AloftDomain
import AloftEdge
import AloftStore
import Foundation
import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle
import UnixSignals

/// The control plane's process: the API and the controllers, ended together.
struct Server: Sendable {
    let services: ServerServices

    func run() async throws {
        let (addresses, bound) = AsyncStream.makeStream(of: String.self)
        let listen = services.configuration.listen
        let tables = ConnectionTables(limit: .raised(), sweepInterval: .seconds(1))
        var application = Application(
            router: services.makeRouter(),
            server: EventLoopConnections.server(tables),
            configuration: .init(
                address: .hostname(listen.host, port: listen.port), serverName: "aloft"),
            onServerRunning: { channel in
                await EventLoopConnections.guardAccepts(of: channel, tables)
                let port = channel.localAddress?.port ?? listen.port
                bound.yield(ListenAddress(host: listen.host, port: port).url)
                bound.finish()
            },
            logger: quietLogger)
        application.addServices(
            ControllerGroup(services: services, addresses: addresses))
        let restart = Task { await services.restart.watch() }
        defer { restart.cancel() }
        do {
            try await application.runService(gracefulShutdownSignals: [.sigterm, .sigint])
        } catch let error as IOError where error.errnoCode == EADDRINUSE {
            throw CommandFailure(
                "\(listen) is in use by another program. Stop that one, or choose another address "
                    + "with --listen.")
        } catch let error as IOError where error.errnoCode == EACCES {
            throw CommandFailure(
                "\(listen): this user may not listen there; take a port above 1023")
        }
    }

    /// The HTTP library speaks at info level of each start and stop; we say those ourselves.
    private var quietLogger: Logger {
        var logger = services.logger
        logger.logLevel = max(logger.logLevel, .warning)
        return logger
    }
}

/// Runs the controllers as soon as the server's address is known.
private struct ControllerGroup: Service {
    let services: ServerServices
    let addresses: AsyncStream<String>

    func run() async throws {
        await cancelWhenGracefulShutdown {
            for await url in addresses { await runControllers(serverURL: url) }
        }
        // Without this a server that could not bind would seem to have ended well.
        try? await gracefulShutdown()
    }

    private func runControllers(serverURL: String) async {
        let logger = services.logger
        do {
            try ServerFile(url: serverURL).write(in: services.folder)
            let controllers = try services.makeControllers(serverURL: serverURL)
            logger.info("listening", metadata: ["url": "\(serverURL)"])
            await withDiscardingTaskGroup { group in
                for controller in controllers { group.addTask { await keepRunning(controller) } }
            }
        } catch {
            logger.error("cannot start", metadata: ["error": "\(PlainError.text(of: error))"])
        }
    }

    /// A controller that fails is started again after a pause: its next look starts from the tables.
    private func keepRunning(_ controller: Controller) async {
        while !Task.isCancelled {
            do {
                try await controller.run()
                return
            } catch is CancellationError {
                return
            } catch {
                services.logger.error(
                    "controller failed",
                    metadata: [
                        "controller": "\(controller.name)",
                        "error": "\(PlainError.text(of: error))",
                    ])
                try? await services.time.clock.sleep(for: .seconds(1))
            }
        }
    }
}

/// `server.json` in the data folder: where the server that holds the folder is reached.
struct ServerFile: Codable {
    let url: String
    var processID = getpid()

    func write(in folder: DataFolder) throws {
        let data = try JSONEncoder().encode(self)
        try data.write(to: URL(fileURLWithPath: folder.path + "/server.json"), options: .atomic)
    }
}
