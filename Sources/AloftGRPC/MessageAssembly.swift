import CInflate
import Foundation
import NIOCore

/// What has come of a call's one message: a byte that says whether it is compressed, four of its length,
/// then its bytes.
struct MessageAssembly {
    private var received: ByteBuffer?
    /// The largest message, in bytes, compressed or not.
    private let limitBytes: Int
    private let mayBeCompressed: Bool

    private static let prefixBytes = 5

    init(limitBytes: Int, mayBeCompressed: Bool) {
        self.limitBytes = limitBytes
        self.mayBeCompressed = mayBeCompressed
    }

    var byteCount: Int { received?.readableBytes ?? 0 }

    /// - Throws: `Status` where the message is longer than the limit, or more follows it. What it says
    ///   of its length is believed before it has come.
    mutating func append(_ bytes: ByteBuffer) throws(Status) {
        if received == nil {
            received = bytes
        } else {
            received?.writeImmutableBuffer(bytes)
        }
        guard let length else { return }
        guard length <= limitBytes else { throw tooLarge }
        guard byteCount <= Self.prefixBytes + length else {
            throw Status(.unimplemented, "The call takes one message, and more came.")
        }
    }

    /// The message, when the caller has said all.
    ///
    /// - Throws: `Status` where it is cut off or damaged.
    func whole() throws(Status) -> ByteBuffer {
        guard var bytes = received, let length, byteCount == Self.prefixBytes + length else {
            throw Status(
                .invalidArgument,
                "The message is cut off: \(byteCount) bytes came of "
                    + "\(self.length.map { "\($0 + Self.prefixBytes)" } ?? "at least 5").")
        }
        let isCompressed = bytes.getInteger(at: bytes.readerIndex, as: UInt8.self) ?? 0
        bytes.moveReaderIndex(forwardBy: Self.prefixBytes)
        switch isCompressed {
        case 0: return bytes
        case 1 where mayBeCompressed: return try inflated(bytes)
        default:
            throw Status(
                .internal,
                "The message begins with \(isCompressed): expected 0, or 1 beside grpc-encoding gzip "
                    + "or deflate.")
        }
    }

    private var length: Int? {
        guard let received else { return nil }
        return received.getInteger(at: received.readerIndex + 1, as: UInt32.self).map { Int($0) }
    }

    private var tooLarge: Status {
        Status(.resourceExhausted, "The message has more than \(limitBytes) bytes, the limit here.")
    }

    private func inflated(_ bytes: ByteBuffer) throws(Status) -> ByteBuffer {
        var output: UnsafeMutablePointer<UInt8>?
        var size = 0
        let result = bytes.withUnsafeReadableBytes { input in
            aloft_inflate(
                input.bindMemory(to: UInt8.self).baseAddress, input.count, limitBytes, &output,
                &size)
        }
        defer { free(output) }
        switch result {
        case ALOFT_INFLATE_WHOLE:
            return ByteBuffer(bytes: UnsafeRawBufferPointer(start: output, count: size))
        case ALOFT_INFLATE_TOO_LARGE: throw tooLarge
        case ALOFT_INFLATE_NO_MEMORY:
            throw Status(.resourceExhausted, "There is no memory to decompress the message.")
        default: throw Status(.invalidArgument, "The compressed message is damaged or cut off.")
        }
    }
}
