/// Reads the fields of a protobuf message one after another, and never past the end.
struct ProtobufScan {
    enum Value {
        case varint(UInt64)
        case fixed64(UInt64)
        case bytes(UnsafeRawBufferPointer)
        case fixed32(UInt32)
    }

    private var scan: ByteScan
    /// Whether the bytes are no message from some place on.
    private(set) var isDamaged = false

    init(_ bytes: UnsafeRawBufferPointer) { scan = ByteScan(bytes) }

    /// `nil` at the end, and where the bytes are damaged.
    mutating func next() -> (field: UInt64, value: Value)? {
        guard !isDamaged, !scan.rest.isEmpty else { return nil }
        guard let tag = varint(), let value = value(wire: tag & 7) else {
            isDamaged = true
            return nil
        }
        return (tag >> 3, value)
    }

    private mutating func value(wire: UInt64) -> Value? {
        switch wire {
        case 0: varint().map { .varint($0) }
        case 1: scan.take(UInt64.self).map { .fixed64($0) }
        case 2:
            varint().flatMap { Int(exactly: $0) }.flatMap { scan.take(count: $0) }
                .map { .bytes($0) }
        case 5: scan.take(UInt32.self).map { .fixed32($0) }
        default: nil
        }
    }

    /// Also a value of a packed list, whose bytes are these.
    mutating func varint() -> UInt64? {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            guard let byte = scan.take(UInt8.self) else { return nil }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        return nil
    }
}
