import CInflate
import NIOCore

/// Bodies that come with `Content-Encoding: gzip` or `deflate`.
///
/// What is made of a body, its text and its tensors together, takes at most eight times its own bytes and a
/// mebibyte: a small one of a million zeros costs whoever sends it nothing. So it is inflated twice, once to
/// count.
enum CompressedBody {
    private static let growth = 8
    private static let freeBytes = 1 << 20
    /// What the text may take of that; the rest is left to the tensors.
    private static let textGrowth = 6
    private static let textFreeBytes = 768 << 10
    private static let pieceBytes = 32 << 10
    /// What has more bytes is not inflated on an event loop.
    static let inlineBytes = 16 << 10

    /// - Returns: whether a body of this coding is to be inflated; `nil` where nothing here can.
    static func isCompressed(_ coding: String) -> Bool? {
        switch coding.lowercased() {
        case "identity", "": false
        case "gzip", "x-gzip", "deflate": true
        default: nil
        }
    }

    /// How many bytes the tensors of a body may take.
    static func tensorLimit(compressedBytes: Int, body: ByteBuffer) -> Int {
        max(0, growth * compressedBytes + freeBytes - body.capacity)
    }

    /// - Parameter bodyLimitBytes: of every body, compressed or not.
    static func inflated(
        _ packed: ByteBuffer, bodyLimitBytes: Int
    ) -> Result<ByteBuffer, GatewayFailure> {
        let own = textGrowth * packed.readableBytes + textFreeBytes
        var count = 0
        let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: pieceBytes, alignment: 16)
        defer { scratch.deallocate() }
        let outcome = inflate(packed) { step in
            count += step(scratch)
            // A buffer takes memory by powers of two.
            return count <= bodyLimitBytes && ByteBuffer.room(for: count) <= own
        }
        switch outcome {
        case .whole: break
        case .damaged: return .failure(.damagedBody)
        case .noMemory: return .failure(.bodiesHeld)
        case .stopped:
            return .failure(
                count > bodyLimitBytes
                    ? .bodyTooLarge(limitBytes: bodyLimitBytes)
                    : .bodyGrows(bytes: packed.readableBytes, limitBytes: own))
        }
        var body = ByteBuffer()
        body.reserveCapacity(count)
        let again = inflate(packed) { step in
            body.writeWithUnsafeMutableBytes(minimumWritableBytes: 0) { step($0) }
            return true
        }
        return again == .whole ? .success(body) : .failure(.damagedBody)
    }

    private enum Outcome { case whole, damaged, stopped, noMemory }

    /// Inflates piece by piece.
    ///
    /// - Parameter take: is to call its argument once with room for the next piece, which returns the bytes
    ///   that came; false stops.
    private static func inflate(
        _ packed: ByteBuffer,
        _ take: ((UnsafeMutableRawBufferPointer) -> Int) -> Bool
    ) -> Outcome {
        guard let inflater = aloft_inflater_open_any() else { return .noMemory }
        defer { aloft_inflater_close(inflater) }
        return packed.withUnsafeReadableBytes { bytes in
            let input = bytes.bindMemory(to: UInt8.self)
            var offset = 0
            while true {
                var (status, taken, given) = (Int32(-1), 0, 0)
                let rest = UnsafeBufferPointer(rebasing: input[offset...])
                let goesOn = take { room in
                    // Where all has come there is no room, and the end of the stream is still to be read.
                    var none: UInt8 = 0
                    let target = room.bindMemory(to: UInt8.self)
                    withUnsafeMutablePointer(to: &none) { none in
                        status = aloft_inflater_step(
                            inflater, rest.baseAddress, rest.count, &taken,
                            target.baseAddress ?? none, target.count, &given)
                    }
                    return given
                }
                offset += taken
                guard goesOn else { return .stopped }
                switch status {
                case 0 where offset == input.count: return .whole
                // Another stream follows; all of them are the body.
                case 0: continue
                case 1 where taken > 0 || given > 0: continue
                default: return .damaged
                }
            }
        }
    }
}

extension ByteBuffer {
    /// What a buffer takes for so many bytes.
    fileprivate static func room(for bytes: Int) -> Int {
        var room = 1
        while room < bytes { room <<= 1 }
        return room
    }
}
