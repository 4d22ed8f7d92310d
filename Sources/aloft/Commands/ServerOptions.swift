import AloftClient
import ArgumentParser
import Foundation

/// Which server a command talks to, and how it prints.
struct ServerOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The server's address; else ALOFT_SERVER, else http://127.0.0.1:5000.",
            valueName: "url"))
    var server: String?

    @Flag(help: "Print JSON instead of tables.")
    var json = false

    /// A client for that server, with the token in ALOFT_TOKEN if there is one.
    func client() throws -> ServerClient {
        ServerClient(
            server: try address(), token: ProcessInfo.processInfo.environment["ALOFT_TOKEN"],
            http: Self.http)
    }

    /// The server's address, checked.
    func address() throws -> String {
        let environment = ProcessInfo.processInfo.environment
        let address = server ?? environment["ALOFT_SERVER"] ?? "http://127.0.0.1:5000"
        guard let url = URL(string: address), ["http", "https"].contains(url.scheme),
            url.host != nil
        else {
            throw CommandFailure.usage(
                "--server \(address): expected an address such as http://127.0.0.1:5000")
        }
        if let authority = Self.authority, !ServerClient.isAuthority(authority) {
            throw CommandFailure.usage(
                "ALOFT_CA_CERTIFICATE \(authority): expected a PEM file with certificates")
        }
        return address
    }

    /// Certificates of authorities that are believed beside the system's.
    private static var authority: String? {
        ProcessInfo.processInfo.environment["ALOFT_CA_CERTIFICATE"].flatMap {
            $0.isEmpty ? nil : $0
        }
    }

    /// The process's connections; they end with it.
    static let http = ServerClient.makeHTTPClient(authority: authority)
}
