import AloftDomain
import Foundation
import NIOCore

/// The socket on which clients connect. The gateway keeps it beside the copy that the event loops accept
/// from, so that it can be handed to the next process.
package struct ListeningSocket: Sendable {
    package let descriptor: Int32

    private static let backlog: Int32 = 1024

    /// - Throws: `IOError` where the address is in use or not this machine's.
    static func open(_ address: ListenAddress) throws -> ListeningSocket {
        let resolved = try SocketAddress.makeAddressResolvingHost(address.host, port: address.port)
        let family = resolved.protocol == .inet6 ? AF_INET6 : AF_INET
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        let descriptor = socket(family, kind, 0)
        guard descriptor >= 0 else { throw IOError(errnoCode: errno, reason: "socket") }
        var one: Int32 = 1
        setsockopt(
            descriptor, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
        let isBound = resolved.withSockAddr { pointer, size in
            bind(descriptor, pointer, socklen_t(size)) == 0
        }
        guard isBound, listen(descriptor, backlog) == 0 else {
            let code = errno
            Foundation.close(descriptor)
            throw IOError(errnoCode: code, reason: "bind \(address)")
        }
        return ListeningSocket(descriptor: descriptor)
    }

    /// A second descriptor of the same socket, for the event loops, which close it.
    func copy() throws -> ListeningSocket {
        let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 3)
        guard copy >= 0 else { throw IOError(errnoCode: errno, reason: "dup") }
        return ListeningSocket(descriptor: copy)
    }

    func close() { Foundation.close(descriptor) }

    /// The port that it has, `nil` where the kernel does not say.
    package var port: Int? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let status = withUnsafeMutablePointer(to: &storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                getsockname(descriptor, $0, &length)
            }
        }
        guard status == 0 else { return nil }
        // The port is at the same place in the addresses of both families.
        return withUnsafeBytes(of: storage) {
            Int(
                truncatingIfNeeded: UInt16(
                    bigEndian: $0.loadUnaligned(fromByteOffset: 2, as: UInt16.self)))
        }
    }
}
