import AloftControl
import AloftDomain
import Foundation
import Logging
import NIOSSL
import Synchronization

/// The certificate that the server shows, read again as soon as its files change, so that renewing it
/// stops nothing: new connections get the new one.
final class ServerCertificate: Sendable {
    private struct State {
        var context: NIOSSLContext
        /// The files as they were read.
        var seals: [FileSeal]
        /// The files as they were when they were refused.
        var refused: [FileSeal] = []
    }

    /// It goes by time: nobody tells of a change of the files.
    private static let pace = ReconcileLoop.Pace(longestWait: .seconds(5))

    private let certificate: String
    private let key: String
    private let state: Mutex<State>

    /// - Parameters:
    ///   - certificate: a PEM file: the server's certificate, then those that lead to the authority's.
    ///   - key: the PEM file of its private key, without a pass phrase.
    /// - Throws: `CommandFailure` that names the file and what is wrong with it.
    init(certificate: String, key: String) throws {
        self.certificate = certificate
        self.key = key
        let seals = [certificate, key].map { FileSeal($0) }
        let context = try Self.makeContext(certificate, key)
        state = Mutex(State(context: context, seals: seals))
    }

    /// For the next connection.
    var context: NIOSSLContext { state.withLock { $0.context } }

    /// Looks at the files now and then. Returns when the task is cancelled.
    func watch(time: TimeSource, logger: Logger) async throws {
        let loop = ReconcileLoop(
            name: "certificate", pace: Self.pace, clock: time.clock, logger: logger)
        try await loop.run {
            look(logger)
            return .whenWoken
        }
    }

    private func look(_ logger: Logger) {
        let seals = [certificate, key].map { FileSeal($0) }
        let (known, refused) = state.withLock { ($0.seals, $0.refused) }
        guard seals != known else { return }
        do {
            let context = try Self.makeContext(certificate, key)
            state.withLock { $0 = State(context: context, seals: seals) }
            logger.info("took a new certificate", metadata: ["file": "\(certificate)"])
        } catch {
            // Said once: the two files of a renewal may come one after the other.
            guard seals != refused else { return }
            state.withLock { $0.refused = seals }
            logger.error(
                "the new certificate is refused, the one before stays",
                metadata: ["error": "\(PlainError.text(of: error))"])
        }
    }

    private static func makeContext(_ certificate: String, _ key: String) throws -> NIOSSLContext {
        let chain: [NIOSSLCertificate]
        do {
            chain = try NIOSSLCertificate.fromPEMFile(certificate)
        } catch {
            throw CommandFailure(
                "--tls-certificate \(certificate): expected a PEM file with the server's certificate "
                    + "and those that lead to its authority (\(reason(error, certificate)))")
        }
        guard !chain.isEmpty else {
            throw CommandFailure("--tls-certificate \(certificate): there is no certificate in it")
        }
        do {
            let secret = try NIOSSLPrivateKey(file: key, format: .pem)
            var configuration = TLSConfiguration.makeServerConfiguration(
                certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(secret))
            configuration.minimumTLSVersion = .tlsv12
            return try NIOSSLContext(configuration: configuration)
        } catch {
            throw CommandFailure(
                "--tls-key \(key): expected the PEM file of the certificate's own private key, "
                    + "without a pass phrase (\(reason(error, key)))")
        }
    }

    private static func reason(_ error: any Error, _ path: String) -> String {
        access(path, R_OK) == 0 ? "\(error)" : String(cString: strerror(errno))
    }
}

/// Tells a file from what stood at its path before.
private struct FileSeal: Equatable {
    private let inode: UInt64
    private let size: Int64
    private let seconds: Int
    private let nanoseconds: Int

    init(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else {
            (inode, size, seconds, nanoseconds) = (0, 0, 0, 0)
            return
        }
        inode = UInt64(status.st_ino)
        size = Int64(status.st_size)
        seconds = status.st_ctim.tv_sec
        nanoseconds = status.st_ctim.tv_nsec
    }
}
