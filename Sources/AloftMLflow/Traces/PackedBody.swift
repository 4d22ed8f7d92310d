import AloftDomain
import CInflate
import Foundation
import NIOCore

/// Bodies that come with `Content-Encoding: gzip` or `deflate`, as collectors of spans send them.
enum PackedBody {
    static func isPacked(_ coding: String?) throws -> Bool {
        switch coding?.lowercased() {
        case nil, "", "identity": false
        case "gzip", "x-gzip", "deflate": true
        case .some(let other):
            throw ProtocolError.invalid(
                "Unsupported Content-Encoding: '\(other.prefix(50))'. Expected: gzip, deflate or "
                    + "none.")
        }
    }

    /// What came, at most as much as may come unpacked.
    static func unpacked(
        _ packed: ByteBuffer, limit: Int = MLflowBody.largeLimit
    ) throws -> ByteBuffer {
        guard packed.readableBytes > 0 else { return packed }
        var output: UnsafeMutablePointer<UInt8>?
        var size = 0
        let outcome = packed.withUnsafeReadableBytes { bytes in
            aloft_inflate(
                bytes.bindMemory(to: UInt8.self).baseAddress, bytes.count, limit, &output, &size)
        }
        defer { free(output) }
        switch outcome {
        case ALOFT_INFLATE_WHOLE:
            return ByteBuffer(bytes: UnsafeRawBufferPointer(start: output, count: size))
        case ALOFT_INFLATE_TOO_LARGE:
            throw ProtocolError.invalid(
                "The body unpacks to more than \(limit) bytes, the limit. Send fewer spans at "
                    + "once.")
        case ALOFT_INFLATE_NO_MEMORY:
            throw ProtocolError(
                .temporarilyUnavailable,
                "There is no memory to unpack the body. Send it again later.")
        default:
            throw ProtocolError.invalid(
                "The body is no whole stream of gzip or zlib, as its Content-Encoding says it is.")
        }
    }
}
