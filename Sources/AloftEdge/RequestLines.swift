package import NIOCore

/// Looks at the request lines of a connection of HTTP/1.1 before the HTTP library, which reads over blanks
/// that should not be there. `GET  /health HTTP/1.1` another reader may take for a request of `""`.
///
/// It follows the messages just far enough to know where the next line begins. What is wrong with a
/// message in any other way is the library's to say; whatever this makes of such a message, the library
/// has ended the connection there.
package struct RequestLines {
    private enum Place {
        /// Before a line; empty ones are read over (RFC 9112, section 2.2).
        case start
        case line(blanks: Int, wasBlank: Bool)
        case headers
        case body(left: Int)
        case chunkSize
        case trailers
        /// Nothing is looked at any more.
        case over
        /// A line was wrong; nothing is passed on any more.
        case broken
    }

    private var place = Place.start
    /// The beginning of a header's line, or of a chunk's.
    private var kept: [UInt8] = []
    private var length = 0
    private var isChunked = false

    /// Longer names and sizes do not matter here.
    private static let mostKept = 64

    package init() {}

    /// The bytes that go on to the library: all of them, or those before a line that is wrong, with one
    /// behind them that no reader takes, so that the library refuses it in its turn.
    package mutating func passed(_ bytes: ByteBuffer) -> ByteBuffer? {
        if case .broken = place { return nil }
        guard let end = bytes.withUnsafeReadableBytes({ firstFault($0) }) else { return bytes }
        place = .broken
        var good = ByteBuffer()
        good.reserveCapacity(end + 1)
        if let before = bytes.getSlice(at: bytes.readerIndex, length: end) {
            good.writeImmutableBuffer(before)
        }
        good.writeInteger(UInt8(0))
        return good
    }

    /// The place of the first byte that makes a request line wrong.
    private mutating func firstFault(_ bytes: UnsafeRawBufferPointer) -> Int? {
        var at = 0
        while at < bytes.count {
            switch place {
            case .over, .broken: return nil
            case .start:
                let byte = bytes[at]
                if byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") { return at }
                guard byte == UInt8(ascii: "\r") || byte == UInt8(ascii: "\n") else {
                    place = .line(blanks: 0, wasBlank: false)
                    continue
                }
                at += 1
            case .line(let blanks, let wasBlank):
                switch bytes[at] {
                case UInt8(ascii: "\n"):
                    place = .headers
                    (length, isChunked) = (0, false)
                    kept.removeAll(keepingCapacity: true)
                case UInt8(ascii: "\t"): return at
                case UInt8(ascii: " "):
                    if wasBlank || blanks == 2 { return at }
                    place = .line(blanks: blanks + 1, wasBlank: true)
                default: if wasBlank { place = .line(blanks: blanks, wasBlank: false) }
                }
                at += 1
            case .headers: takeLine(bytes, &at) { $0.endHeader($1) }
            case .chunkSize: takeLine(bytes, &at) { $0.endChunkSize($1) }
            case .trailers: takeLine(bytes, &at) { $0.endTrailer($1) }
            case .body(let left):
                let count = min(left, bytes.count - at)
                at += count
                if count < left {
                    place = .body(left: left - count)
                } else {
                    place = isChunked ? .chunkSize : .start
                }
            }
        }
        return nil
    }

    /// Takes bytes to the end of a line and gives it, without its end, to `act`. Only the beginning of a
    /// line that comes in pieces is kept.
    private mutating func takeLine(
        _ bytes: UnsafeRawBufferPointer, _ at: inout Int,
        _ act: (inout Self, UnsafeRawBufferPointer) -> Void
    ) {
        let rest = UnsafeRawBufferPointer(rebasing: bytes[at...])
        guard let end = rest.firstIndex(of: UInt8(ascii: "\n")) else {
            keep(rest)
            at = bytes.count
            return
        }
        at += end + 1
        let line = UnsafeRawBufferPointer(rebasing: rest[..<end])
        guard !kept.isEmpty else { return act(&self, Self.withoutReturn(line)) }
        keep(line)
        let whole = kept
        kept.removeAll(keepingCapacity: true)
        whole.withUnsafeBytes { act(&self, Self.withoutReturn($0)) }
    }

    private mutating func keep(_ bytes: UnsafeRawBufferPointer) {
        kept.append(contentsOf: bytes.prefix(Self.mostKept - kept.count))
    }

    private static func withoutReturn(_ line: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        guard line.last == UInt8(ascii: "\r") else { return line }
        return UnsafeRawBufferPointer(rebasing: line.dropLast())
    }

    private mutating func endHeader(_ line: UnsafeRawBufferPointer) {
        guard !line.isEmpty else {
            if isChunked {
                place = .chunkSize
            } else {
                place = length > 0 ? .body(left: length) : .start
            }
            return
        }
        // The two names differ in length from nearly all others.
        if Self.isNamed("content-length", line) {
            guard let value = Self.number(line.dropFirst(15), radix: 10) else {
                return place = .over
            }
            length = value
        } else if Self.isNamed("transfer-encoding", line) {
            isChunked = true
        }
    }

    /// Whether this is the header of a name in lower case.
    private static func isNamed(_ name: StaticString, _ line: UnsafeRawBufferPointer) -> Bool {
        let count = name.utf8CodeUnitCount
        guard line.count > count, line[count] == UInt8(ascii: ":") else { return false }
        for index in 0..<count {
            let byte = line[index]
            let lower = byte &- 65 < 26 ? byte | 0x20 : byte
            guard lower == name.utf8Start[index] else { return false }
        }
        return true
    }

    private mutating func endChunkSize(_ line: UnsafeRawBufferPointer) {
        let digits = line.prefix { $0 != UInt8(ascii: ";") && $0 != UInt8(ascii: " ") }
        guard let size = Self.number(digits, radix: 16) else { return place = .over }
        // With the line's end behind the data.
        place = size == 0 ? .trailers : .body(left: size + 2)
    }

    private mutating func endTrailer(_ line: UnsafeRawBufferPointer) {
        if line.isEmpty { place = .start }
    }

    /// At most fifteen digits, with blanks round them.
    private static func number(_ bytes: Slice<UnsafeRawBufferPointer>, radix: Int) -> Int? {
        let isBlank = { (byte: UInt8) in byte == 32 || byte == 9 }
        let digits = bytes.drop(while: isBlank).prefix { !isBlank($0) }
        guard (1...15).contains(digits.count), digits.allSatisfy({ $0 < 128 }) else { return nil }
        return Int(String(decoding: digits, as: UTF8.self), radix: radix)
    }
}

/// `RequestLines` in a pipeline, in front of the HTTP library's reader.
package final class RequestLineGuard: ChannelInboundHandler {
    package typealias InboundIn = ByteBuffer
    package typealias InboundOut = ByteBuffer

    private var lines = RequestLines()

    package init() {}

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard let passed = lines.passed(unwrapInboundIn(data)) else { return }
        context.fireChannelRead(wrapInboundOut(passed))
    }
}
