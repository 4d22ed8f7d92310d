/// A part of a protobuf message, with its place in the whole for errors.
struct ProtobufSlice {
    let bytes: UnsafeRawBufferPointer
    let offset: Int
}

/// Steps through a protobuf message in its wire format, and trusts nothing in it.
struct ProtobufCursor {
    /// How a field's value is written. Groups, which the protocol's messages do not have, are refused.
    enum Wire: UInt64 { case varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 }

    private let bytes: UnsafeRawBufferPointer
    private let offset: Int
    private(set) var position = 0

    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
        offset = 0
    }

    init(_ slice: ProtobufSlice) {
        bytes = slice.bytes
        offset = slice.offset
    }

    var isAtEnd: Bool { position == bytes.count }

    /// The next field's number and wire type; `nil` at the end.
    @inline(__always)
    mutating func next() throws(InferenceError) -> (field: UInt64, wire: Wire)? {
        guard position < bytes.count else { return nil }
        let tag = try varint()
        guard let wire = Wire(rawValue: tag & 7), tag >> 3 > 0, tag >> 3 < 1 << 29 else {
            throw fault("the tag of a field")
        }
        return (tag >> 3, wire)
    }

    @inline(__always)
    mutating func varint() throws(InferenceError) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while position < bytes.count, shift < 64 {
            let byte = bytes[position]
            position += 1
            value |= UInt64(truncatingIfNeeded: byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
        throw fault("a whole number of at most ten bytes")
    }

    /// The value of a length-delimited field.
    mutating func slice() throws(InferenceError) -> ProtobufSlice {
        let length = try varint()
        let left = bytes.count - position
        guard let length = Int(exactly: length), length <= left else {
            throw fault("\(length) bytes where \(left) follow")
        }
        let start = position
        position += length
        return ProtobufSlice(
            bytes: UnsafeRawBufferPointer(rebasing: bytes[start..<position]),
            offset: offset + start)
    }

    /// The next `count` bytes.
    mutating func take(_ count: Int) throws(InferenceError) -> UnsafeRawBufferPointer {
        guard bytes.count - position >= count else { throw fault("\(count) bytes") }
        defer { position += count }
        return UnsafeRawBufferPointer(rebasing: bytes[position..<position + count])
    }

    mutating func fixed<Number: FixedWidthInteger>(
        _: Number.Type
    ) throws(InferenceError) -> Number {
        let size = MemoryLayout<Number>.size
        guard bytes.count - position >= size else { throw fault("\(size) bytes") }
        defer { position += size }
        return Number(
            littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: Number.self))
    }

    mutating func skip(_ wire: Wire) throws(InferenceError) {
        switch wire {
        case .varint: _ = try varint()
        case .fixed64: _ = try fixed(UInt64.self)
        case .bytes: _ = try slice()
        case .fixed32: _ = try fixed(UInt32.self)
        }
    }

    func fault(_ expected: String) -> InferenceError {
        .malformed(expected: expected, offset: offset + position)
    }
}
