import AloftDomain
import AloftInference
import NIOCore

/// One event loop's part of the prediction log: records gather here and go to the disk together.
///
/// A record is little-endian: length of what follows (4 bytes), HTTP status (2), loop (1), form (1),
/// incarnation (8), sequence (8), wall time in milliseconds (8), microseconds taken (4), length of the
/// revision's description (2) and that, length of the request (4) and that, length of the reply (4)
/// and that. The description is made of endpoint, revision, rollout step, model, version and digest,
/// each ended by a line feed.
struct PredictionLogBuffer {
    private var bytes = ByteBuffer()
    private let writer: PredictionLogWriter
    private let loop: Int
    /// Wall time minus the monotonic clock, renewed now and then.
    private var wallOffsetNanoseconds: Int64 = 0

    private static let flushBytes = 128 << 10

    init(writer: PredictionLogWriter, loop: Int) {
        self.writer = writer
        self.loop = loop
    }

    mutating func setClock(millisecondsSince1970: Int64, now: NIODeadline) {
        wallOffsetNanoseconds =
            millisecondsSince1970 * 1_000_000 - Int64(now.uptimeNanoseconds)
    }

    mutating func append(
        _ prediction: Prediction, status: Int, microseconds: Double, response: ByteBuffer,
        range: Range<Int>
    ) {
        let description = prediction.revision.logDescription
        let requestBytes = prediction.body?.readableBytes ?? 0
        let size = 42 + description.count + requestBytes + range.count
        bytes.writeWithUnsafeMutableBytes(minimumWritableBytes: size + 4) { memory in
            var offset = 0
            func put<Number: FixedWidthInteger>(_ number: Number) {
                memory.storeBytes(of: number.littleEndian, toByteOffset: offset, as: Number.self)
                offset += MemoryLayout<Number>.size
            }
            func put(_ source: UnsafeRawBufferPointer) {
                guard let start = source.baseAddress, !source.isEmpty else { return }
                UnsafeMutableRawBufferPointer(rebasing: memory[offset...]).baseAddress?
                    .copyMemory(from: start, byteCount: source.count)
                offset += source.count
            }
            put(UInt32(size))
            put(UInt16(status))
            put(UInt8(truncatingIfNeeded: loop))
            put(prediction.form.rawValue)
            put(prediction.id.incarnation)
            put(prediction.id.sequence)
            let received = Int64(prediction.receivedAt.uptimeNanoseconds) + wallOffsetNanoseconds
            put(received / 1_000_000)
            put(UInt32(min(microseconds, 4e9)))
            put(UInt16(description.count))
            description.withUnsafeBytes { put($0) }
            put(UInt32(requestBytes))
            prediction.body?.withUnsafeReadableBytes { put($0) }
            put(UInt32(range.count))
            response.withUnsafeReadableBytes { whole in
                let start = range.lowerBound - response.readerIndex
                put(UnsafeRawBufferPointer(rebasing: whole[start..<start + range.count]))
            }
            return offset
        }
        if bytes.readableBytes >= Self.flushBytes { flush() }
    }

    mutating func flush() {
        guard bytes.readableBytes > 0 else { return }
        writer.write(bytes)
        bytes = ByteBuffer()
        bytes.reserveCapacity(Self.flushBytes + (32 << 10))
    }
}
