import AloftDomain
import AloftWire
import Foundation
import NIOCore
import NIOPosix
import Testing

@testable import AloftClient

/// What becomes of a call where no server answers as one does.
@Suite(.timeLimit(.minutes(20))) struct ConnectionFaultTests {
    private static let http = ServerClient.makeHTTPClient()

    /// Says these bytes to whoever sends anything, and closes.
    private final class Sayer: ChannelInboundHandler, Sendable {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer
        let words: String

        init(_ words: String) { self.words = words }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let channel = context.channel
            channel.writeAndFlush(ByteBuffer(string: words)).whenComplete { _ in
                channel.close(promise: nil)
            }
        }
    }

    /// What a call throws at a server that says `words`.
    private func failure(
        _ words: String, scheme: String = "http", isOpen: Bool = true
    ) async throws -> ClientError {
        let server = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Sayer(words))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(server.localAddress?.port)
        if !isOpen { try await server.close() }
        let client = ServerClient(
            server: "\(scheme)://127.0.0.1:\(port)", token: nil, http: Self.http)
        let error = await #expect(throws: ClientError.self) {
            try await client.track(.get, "experiments/get")
        }
        if isOpen { try await server.close() }
        return try #require(error)
    }

    @Test func `a port on which nobody listens is said with what to do`() async throws {
        let error = try await failure("", isOpen: false)
        guard case .unreachable(let server, _) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(error.message.contains("no answer from \(server)"))
        #expect(error.message.contains("--server or ALOFT_SERVER"))
        #expect(error.isTransient)
    }

    @Test(arguments: [
        "", "SSH-2.0-OpenSSH_9.2\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{",
        "HTTP/1.1 200 OK\r\ncontent-length: ten\r\n\r\n",
    ])
    func `an answer that is none or is cut off may come later`(words: String) async throws {
        let error = try await failure(words)
        #expect(error.isTransient, "\(error)")
        // Its words are a person's, not a type's name with its memory.
        #expect(!error.message.contains("Optional("), "\(error.message)")
    }

    @Test func `a server without TLS says what TLS needs`() async throws {
        let error = try await failure("HTTP/1.1 400 Bad Request\r\n\r\n", scheme: "https")
        #expect(error.message.contains("the TLS handshake failed"), "\(error.message)")
        #expect(error.message.contains("ALOFT_CA_CERTIFICATE"))
    }

    @Test func `an address that is none is said`() async throws {
        let client = ServerClient(server: "nonsense", token: nil, http: Self.http)
        let error = await #expect(throws: ClientError.self) {
            try await client.track(.get, "experiments/get")
        }
        #expect(error?.message.isEmpty == false)
    }

    @Test func `a file without certificates is no authority`() throws {
        let path = NSTemporaryDirectory() + "aloft-authority-\(UUID().uuidString).pem"
        #expect(!ServerClient.isAuthority(path))
        try Data("-----BEGIN CERTIFICATE-----\nnonsense\n".utf8)
            .write(to: URL(fileURLWithPath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        #expect(!ServerClient.isAuthority(path))
    }

    private static let system = "/etc/ssl/certs/ca-certificates.crt"

    @Test(.enabled(if: FileManager.default.fileExists(atPath: system), "no certificates here"))
    func `the system's own file of certificates is an authority`() {
        #expect(ServerClient.isAuthority(Self.system))
    }
}
