import NIOCore

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A connection's socket, which replies are handed to without the queue of the library: that costs as
/// much again as the call of the kernel, and is needed only where the client does not keep up.
///
/// Only as good as the connection: forget it when that is closed, since its number is used again.
struct ReplySocket {
    private let descriptor: CInt

    /// `nil` for a channel that has no socket.
    init?(_ channel: any Channel) {
        let found = try? channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(
            of: NIOBSDSocket.Handle.self
        ) { $0 }
        guard let found else { return nil }
        descriptor = found
    }

    /// Hands over as much as the socket takes at once.
    ///
    /// - Returns: how many bytes it took; none where it is full or broken.
    func send(_ bytes: ByteBuffer) -> Int {
        bytes.withUnsafeReadableBytes { bytes in
            #if canImport(Glibc)
                max(0, Glibc.send(descriptor, bytes.baseAddress, bytes.count, Self.flags))
            #else
                max(0, Darwin.send(descriptor, bytes.baseAddress, bytes.count, Self.flags))
            #endif
        }
    }

    #if canImport(Glibc)
        private static let flags = CInt(MSG_DONTWAIT) | CInt(MSG_NOSIGNAL)
    #else
        // The library asks for no signal when it opens a socket.
        private static let flags = MSG_DONTWAIT
    #endif
}
