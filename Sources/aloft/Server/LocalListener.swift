import AloftDomain
import AloftEdge
import AloftStore
import Foundation
import Hummingbird
import Logging

/// Where the server's own gateway, jobs and conversions reach it while it speaks TLS to everybody
/// else: plain HTTP on loopback, under the same rules as to tokens. They need no certificate authority
/// then, and no name that the certificate holds.
struct LocalListener {
    let services: ServerServices
    let tables: ConnectionTables

    /// - Parameter ready: called with the address.
    func application<Responder: HTTPResponder>(
        _ responder: Responder, logger: Logger, ready: @escaping @Sendable (String) -> Void
    ) -> Application<Responder>
    where Responder.Context: InitializableFromSource<ApplicationRequestContextSource> {
        let port = Self.port(earlier: ServerFile.read(in: services.folder)?.local)
        return Application(
            responder: responder, server: EventLoopConnections.server(tables),
            configuration: .init(
                address: .hostname("127.0.0.1", port: port), serverName: "aloft"),
            onServerRunning: { [tables] channel in
                await EventLoopConnections.guardAccepts(of: channel, tables)
                let bound = channel.localAddress?.port ?? port
                ready(ListenAddress(host: "127.0.0.1", port: bound).url)
            }, logger: logger)
    }

    /// The port that it had before, so that jobs which outlived the last server still reach it; any
    /// free one if that is taken.
    private static func port(earlier: String?) -> Int {
        guard let port = earlier.flatMap({ URL(string: $0)?.port }), isFree(port) else { return 0 }
        return port
    }

    private static func isFree(_ port: Int) -> Bool {
        let descriptor = socket(
            AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var yes: Int32 = 1
        setsockopt(
            descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(truncatingIfNeeded: port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}
