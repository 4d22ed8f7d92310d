import AloftDomain
import AloftInference
import NIOCore

/// One event loop's part of the prediction log: records gather here and go to the disk together.
/// `PredictionRecord` says how they are written.
struct PredictionLogBuffer {
    private var bytes = ByteBuffer()
    private let writer: PredictionLogWriter
    private let loop: Int
    /// What is kept of a request and of a reply, in bytes.
    private let bodyLimit: Int
    /// Wall time minus the monotonic clock, renewed now and then.
    private var wallOffsetNanoseconds: Int64 = 0

    private static let flushBytes = 128 << 10

    init(writer: PredictionLogWriter, loop: Int, bodyLimit: Int) {
        self.writer = writer
        self.loop = loop
        self.bodyLimit = bodyLimit
    }

    mutating func setClock(millisecondsSince1970: Int64, now: NIODeadline) {
        wallOffsetNanoseconds =
            millisecondsSince1970 * 1_000_000 - Int64(now.uptimeNanoseconds)
    }

    mutating func append(
        _ prediction: Prediction, status: Int, microseconds: Double, response: ByteBuffer,
        range: Range<Int>
    ) {
        let description = prediction.endpoint.logDescription(of: prediction.revision)
        let requestBytes = prediction.body?.readableBytes ?? 0
        let keptRequest = min(requestBytes, bodyLimit)
        let keptResponse = min(range.count, bodyLimit)
        let trace = prediction.trace?.text ?? ""
        let size = 55 + description.count + keptRequest + keptResponse + trace.utf8.count
        bytes.writeWithUnsafeMutableBytes(minimumWritableBytes: size + 4) { memory in
            var record = RecordWriter(memory)
            record.put(UInt32(size))
            record.put(UInt16(status))
            record.put(UInt8(truncatingIfNeeded: loop))
            record.put(prediction.form.rawValue)
            record.put(prediction.id.incarnation)
            record.put(prediction.id.sequence)
            let received = Int64(prediction.receivedAt.uptimeNanoseconds) + wallOffsetNanoseconds
            record.put(received / 1_000_000)
            record.put(UInt32(min(microseconds, 4e9)))
            record.put(UInt16(description.count))
            description.withUnsafeBytes { record.put($0) }
            record.put(UInt32(keptRequest))
            prediction.body?.withUnsafeReadableBytes {
                record.put(UnsafeRawBufferPointer(rebasing: $0.prefix(keptRequest)))
            }
            record.put(UInt32(keptResponse))
            response.withUnsafeReadableBytes { whole in
                let start = range.lowerBound - response.readerIndex
                record.put(UnsafeRawBufferPointer(rebasing: whole[start..<start + keptResponse]))
            }
            record.put(Int32(clamping: prediction.jsonLength ?? -1))
            record.put(UInt32(clamping: requestBytes))
            record.put(UInt32(clamping: range.count))
            record.put(UInt8(trace.utf8.count))
            var text = trace
            text.withUTF8 { record.put(UnsafeRawBufferPointer($0)) }
            return record.offset
        }
        if bytes.readableBytes >= Self.flushBytes { flush() }
    }

    mutating func flush() {
        guard bytes.readableBytes > 0 else { return }
        writer.write(bytes)
        bytes = writer.takeMemory() ?? ByteBuffer()
        // Clears what the writer still shares by taking other memory.
        bytes.clear(minimumCapacity: Self.flushBytes + (32 << 10))
    }
}

/// Puts numbers and bytes one behind the other into memory that is known to be large enough.
private struct RecordWriter {
    private let memory: UnsafeMutableRawBufferPointer
    private(set) var offset = 0

    init(_ memory: UnsafeMutableRawBufferPointer) { self.memory = memory }

    mutating func put<Number: FixedWidthInteger>(_ number: Number) {
        memory.storeBytes(of: number.littleEndian, toByteOffset: offset, as: Number.self)
        offset += MemoryLayout<Number>.size
    }

    mutating func put(_ source: UnsafeRawBufferPointer) {
        guard let start = source.baseAddress, !source.isEmpty else { return }
        UnsafeMutableRawBufferPointer(rebasing: memory[offset...]).baseAddress?
            .copyMemory(from: start, byteCount: source.count)
        offset += source.count
    }
}
