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
        return Int(length)
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
                + "\(length.map { "\(Int($0) + Self.prefixBytes)" } ?? "at least 5").")
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
