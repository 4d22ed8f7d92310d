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
        let (addresses, bound) = AsyncStream.makeStream(of: BoundAddress.self)
        let listen = services.configuration.listen
        let tables = ConnectionTables(limit: .raised(), sweepInterval: .seconds(1))
        let certificate = services.certificate
        let responder = services.makeResponder()
        var application = Application(
            responder: responder,
            server: certificate.map { EventLoopConnections.tls($0, tables) }
                ?? EventLoopConnections.server(tables),
            configuration: .init(
                address: .hostname(listen.host, port: listen.port), serverName: "aloft"),
            onServerRunning: { channel in
                await EventLoopConnections.guardAccepts(of: channel, tables)
                let port = channel.localAddress?.port ?? listen.port
                let url = ListenAddress(host: listen.host, port: port).url
                bound.yield(certificate == nil ? .both(url) : .shown(url.replacingScheme))
            },
            logger: quietLogger)
        if certificate != nil {
            application.addServices(
                LocalListener(services: services, tables: tables).application(
                    responder, logger: quietLogger
                ) {
                    bound.yield(.local($0))
                })
        }
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
    let addresses: AsyncStream<BoundAddress>

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var file = ServerFile(url: "", local: "")
            for await address in addresses {
                file.note(address)
                if file.isWhole { return await runControllers(file) }
            }
        }
        // Without this a server that could not bind would seem to have ended well.
        try? await gracefulShutdown()
    }

    private func runControllers(_ file: ServerFile) async {
        let logger = services.logger
        do {
            try file.write(in: services.folder)
            let controllers = try services.makeControllers(serverURL: file.local)
            logger.info("listening", metadata: ["url": "\(file.url)"])
            await withDiscardingTaskGroup { group in
                // Each goes on after whatever fails in it, until it is cancelled.
                for controller in controllers { group.addTask { try? await controller() } }
            }
        } catch {
            logger.error("cannot start", metadata: ["error": "\(PlainError.text(of: error))"])
        }
    }
}

/// An address that the server now listens at.
private enum BoundAddress: Sendable {
    /// For everybody.
    case shown(String)
    /// For its own children.
    case local(String)
    case both(String)
}

/// `server.json` in the data folder: where the server that holds the folder is reached.
struct ServerFile: Codable {
    var url: String
    /// By its own gateway and jobs.
    var local: String
    var processID = getpid()

    var isWhole: Bool { !url.isEmpty && !local.isEmpty }

    fileprivate mutating func note(_ address: BoundAddress) {
        switch address {
        case .shown(let url): self.url = url
        case .local(let url): local = url
        case .both(let url): (self.url, local) = (url, url)
        }
    }

    /// What the server before wrote; `nil` where there was none.
    static func read(in folder: DataFolder) -> ServerFile? {
        FileManager.default.contents(atPath: folder.path + "/server.json").flatMap {
            try? JSONDecoder().decode(ServerFile.self, from: $0)
        }
    }

    func write(in folder: DataFolder) throws {
        let data = try JSONEncoder().encode(self)
        try data.write(to: URL(fileURLWithPath: folder.path + "/server.json"), options: .atomic)
    }
}

extension String {
    /// This address of `http`, as one of `https`.
    fileprivate var replacingScheme: String {
        hasPrefix("http://") ? "https://" + dropFirst("http://".count) : self
    }
}
