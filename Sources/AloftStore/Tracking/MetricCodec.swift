import AloftDomain

/// Points as stored: segments of one context each, of
/// `context, count, {step, timestamp: zigzag varints of the change of the change; value: 8 bytes}`.
/// Evenly spaced steps and times cost a byte each.
enum MetricCodec {
    struct Segment: Equatable {
        /// The number of a row of `metricContext`.
        var context: Int64
        var points: [MetricPoint]
    }

    /// The bytes end too early or say what cannot be: the database file is damaged.
    struct Damaged: Error {}

    static func encode(_ segments: [Segment]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(segments.reduce(0) { $0 + 8 + $1.points.count * 12 })
        for segment in segments {
            append(UInt64(bitPattern: segment.context), to: &bytes)
            append(UInt64(segment.points.count), to: &bytes)
            var step = Series()
            var timestamp = Series()
            for point in segment.points {
                append(step.shrink(point.step), to: &bytes)
                append(timestamp.shrink(point.timestamp), to: &bytes)
                withUnsafeBytes(of: point.value.bitPattern.littleEndian) {
                    bytes.append(contentsOf: $0)
                }
            }
        }
        return bytes
    }

    static func decode(_ bytes: UnsafeRawBufferPointer) throws(Damaged) -> [Segment] {
        var segments: [Segment] = []
        var offset = 0
        while offset < bytes.count {
            let context = Int64(bitPattern: try word(bytes, &offset))
            let count = try word(bytes, &offset)
            guard count <= UInt64(bytes.count) else { throw Damaged() }
            var points: [MetricPoint] = []
            points.reserveCapacity(Int(count))
            var step = Series()
            var timestamp = Series()
            for _ in 0..<count {
                let pointStep = step.grow(try word(bytes, &offset))
                let pointTimestamp = timestamp.grow(try word(bytes, &offset))
                guard offset + 8 <= bytes.count else { throw Damaged() }
                let pattern = bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
                offset += 8
                points.append(
                    MetricPoint(
                        value: Double(bitPattern: UInt64(littleEndian: pattern)),
                        timestamp: pointTimestamp, step: pointStep))
            }
            segments.append(Segment(context: context, points: points))
        }
        return segments
    }

    /// A series of numbers as the change of their change.
    private struct Series {
        var last: Int64 = 0
        var change: Int64 = 0

        mutating func shrink(_ value: Int64) -> UInt64 {
            let newChange = value &- last
            let difference = newChange &- change
            last = value
            change = newChange
            return UInt64(bitPattern: (difference << 1) ^ (difference >> 63))
        }

        mutating func grow(_ word: UInt64) -> Int64 {
            let difference = Int64(bitPattern: word >> 1) ^ -Int64(bitPattern: word & 1)
            change = change &+ difference
            last = last &+ change
            return last
        }
    }

    private static func append(_ word: UInt64, to bytes: inout [UInt8]) {
        var rest = word
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    private static func word(
        _ bytes: UnsafeRawBufferPointer, _ offset: inout Int
    ) throws(Damaged) -> UInt64 {
        var result: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            guard offset < bytes.count, shift < 64 else { throw Damaged() }
            let byte = bytes[offset]
            offset += 1
            result |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return result }
            shift += 7
        }
    }
}
