import AloftDomain
import CInflate
import Foundation
import NIOCore

/// How messages lie in a call's bytes: a byte that says whether one is compressed, four of its length,
/// then its bytes.
struct MessageFraming {
    /// The largest message, in bytes, compressed or not.
    let limitBytes: Int
    let mayBeCompressed: Bool

    static let prefixBytes = 5

    /// The length that the first message says, `nil` where that has not come.
    ///
    /// - Throws: `Status` where it is more than the limit.
    func length(_ bytes: ByteBuffer) throws(Status) -> Int? {
        guard let length = bytes.getInteger(at: bytes.readerIndex + 1, as: UInt32.self) else {
            return nil
        }
        guard length <= limitBytes else { throw tooLarge }
        return Int(clamping: length)
    }

    /// The message in its prefix and bytes, all of which are there.
    ///
    /// - Throws: `Status` where it is damaged.
    func opened(_ framed: ByteBuffer) throws(Status) -> ByteBuffer {
        var bytes = framed
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

    func cutOff(_ bytes: ByteBuffer?) -> Status {
        let length = bytes?.getInteger(at: (bytes?.readerIndex ?? 0) + 1, as: UInt32.self)
        return Status(
            .invalidArgument,
            "The message is cut off: \(bytes?.readableBytes ?? 0) bytes came of "
                + "\(length.map { "\(Int(clamping: $0) + Self.prefixBytes)" } ?? "at least 5").")
    }

    private var tooLarge: Status {
        Status(.resourceExhausted, "The message has more than \(limitBytes) bytes, the limit here.")
    }

    /// What a compressed message may become: a small one of a million zeros costs whoever sends it nothing.
    private func inflatedLimit(_ byteCount: Int) -> Int {
        min(limitBytes, Self.inflatedFreeBytes + Self.inflatedGrowth * byteCount)
    }

    private static let inflatedGrowth = 4
    private static let inflatedFreeBytes = 512 << 10

    private func inflated(_ bytes: ByteBuffer) throws(Status) -> ByteBuffer {
        let limitBytes = inflatedLimit(bytes.readableBytes)
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
        case ALOFT_INFLATE_TOO_LARGE:
            guard limitBytes < self.limitBytes else { throw tooLarge }
            throw Status(
                .resourceExhausted,
                "The compressed message of \(bytes.readableBytes) bytes becomes more than "
                    + "\(limitBytes), the limit for one so small. Send it uncompressed.")
        case ALOFT_INFLATE_NO_MEMORY:
            throw Status(.resourceExhausted, "There is no memory to decompress the message.")
        default: throw Status(.invalidArgument, "The compressed message is damaged or cut off.")
        }
    }
}
