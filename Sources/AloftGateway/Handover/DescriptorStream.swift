import Foundation

/// One end of a Unix socket that keeps messages apart and may pass a file descriptor with one.
/// Used by one thread at a time.
final class DescriptorStream: Sendable {
    struct Failure: Error, Equatable, CustomStringConvertible {
        let step: String
        let errnoCode: Int32
        var description: String { "\(step): \(String(cString: strerror(errnoCode)))" }
    }

    private let descriptor: Int32

    /// The length of a control message with one descriptor, and its room (CMSG_LEN, CMSG_SPACE).
    private static let controlLength = 20
    private static let controlRoom = 24
    private static let longestMessage = 512

    /// Takes the descriptor over and closes it in the end.
    init(_ descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    /// How long `receive` waits before it fails.
    func setTimeout(seconds: Int) {
        var timeout = timeval(tv_sec: seconds, tv_usec: 0)
        setsockopt(
            descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
    }

    func send(_ text: String, passing passed: Int32? = nil) throws(Failure) {
        var bytes = Array(text.utf8)
        var control = [UInt8](repeating: 0, count: Self.controlRoom)
        if let passed {
            control.withUnsafeMutableBytes { memory in
                memory.storeBytes(of: Self.controlLength, as: Int.self)
                memory.storeBytes(of: SOL_SOCKET, toByteOffset: 8, as: Int32.self)
                memory.storeBytes(of: Int32(SCM_RIGHTS), toByteOffset: 12, as: Int32.self)
                memory.storeBytes(of: passed, toByteOffset: 16, as: Int32.self)
            }
        }
        let sent = Self.withMessage(&bytes, passed == nil ? nil : control) { message, _ in
            sendmsg(descriptor, &message, Int32(MSG_NOSIGNAL))
        }
        guard sent == bytes.count else { throw Failure(step: "send", errnoCode: errno) }
    }

    /// The next message; the caller owns the descriptor that comes with it.
    func receive() throws(Failure) -> (text: String, passed: Int32?) {
        var bytes = [UInt8](repeating: 0, count: Self.longestMessage)
        var passed: Int32?
        let room = [UInt8](repeating: 0, count: Self.controlRoom)
        let count = Self.withMessage(&bytes, room) { message, control in
            let count = recvmsg(descriptor, &message, Int32(MSG_CMSG_CLOEXEC))
            if count > 0, message.msg_controllen >= Self.controlLength, let control,
                control.loadUnaligned(fromByteOffset: 8, as: Int32.self) == SOL_SOCKET,
                control.loadUnaligned(fromByteOffset: 12, as: Int32.self) == Int32(SCM_RIGHTS)
            {
                passed = control.loadUnaligned(fromByteOffset: 16, as: Int32.self)
            }
            return count
        }
        guard count > 0 else {
            throw Failure(step: "receive", errnoCode: count == 0 ? ECONNRESET : errno)
        }
        return (String(decoding: bytes[..<count], as: UTF8.self), passed)
    }

    private static func withMessage(
        _ bytes: inout [UInt8], _ control: [UInt8]?,
        _ use: (inout msghdr, UnsafeMutableRawPointer?) -> Int
    ) -> Int {
        var control = control ?? []
        return bytes.withUnsafeMutableBytes { data in
            control.withUnsafeMutableBytes { control in
                var vector = iovec(iov_base: data.baseAddress, iov_len: data.count)
                return withUnsafeMutablePointer(to: &vector) { vector in
                    var message = msghdr()
                    message.msg_iov = vector
                    message.msg_iovlen = 1
                    if !control.isEmpty {
                        message.msg_control = control.baseAddress
                        message.msg_controllen = control.count
                    }
                    return use(&message, control.baseAddress)
                }
            }
        }
    }
}
