/// A part of a protobuf message, with its place in the whole for errors.
@frozen @usableFromInline
package struct ProtobufSlice {
    @usableFromInline package let bytes: UnsafeRawBufferPointer
    @usableFromInline package let offset: Int

    @inlinable
    package init(bytes: UnsafeRawBufferPointer, offset: Int) {
        self.bytes = bytes
        self.offset = offset
    }
}

/// How a field's value is written. Groups, which none of the messages that are read here have, are
/// refused.
@frozen @usableFromInline
package enum ProtobufWire {
    case varint
    case fixed64
    case bytes
    case fixed32

    /// By a field's tag; `nil` for a group and for what is none of them.
    @inlinable @inline(__always)
    package init?(tag: UInt64) {
        switch tag & 7 {
        case 0: self = .varint
        case 1: self = .fixed64
        case 2: self = .bytes
        case 5: self = .fixed32
        default: return nil
        }
    }
}

/// What a reader of messages throws where the bytes are not what they should be.
@usableFromInline
package protocol ProtobufFault: Error {
    /// - Parameter offset: a byte of the message, counted from 0.
    static func malformed(expected: String, offset: Int) -> Self
}

/// Steps through a protobuf message in its wire format, and trusts nothing in it.
///
/// Every gRPC request goes through it in another module, so all of it is inlinable: a call each for a
/// byte would cost more than the bytes.
@frozen @usableFromInline
package struct ProtobufReader<Fault: ProtobufFault> {
    @usableFromInline let bytes: UnsafeRawBufferPointer
    @usableFromInline let offset: Int
    @usableFromInline var position = 0

    @inlinable
    package init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
        offset = 0
    }

    @inlinable
    package init(_ slice: ProtobufSlice) {
        bytes = slice.bytes
        offset = slice.offset
    }

    @inlinable
    package var isAtEnd: Bool { position == bytes.count }

    /// The next field's number and wire type; `nil` at the end.
    @inlinable @inline(__always)
    package mutating func next() throws(Fault) -> (field: UInt64, wire: ProtobufWire)? {
        guard position < bytes.count else { return nil }
        let tag = try varint()
        guard let wire = ProtobufWire(tag: tag), tag >> 3 > 0, tag >> 3 < 1 << 29 else {
            throw fault("the tag of a field")
        }
        return (tag >> 3, wire)
    }

    @inlinable @inline(__always)
    package mutating func varint() throws(Fault) -> UInt64 {
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
    @inlinable
    package mutating func slice() throws(Fault) -> ProtobufSlice {
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
    @inlinable
    package mutating func take(_ count: Int) throws(Fault) -> UnsafeRawBufferPointer {
        guard bytes.count - position >= count else { throw fault("\(count) bytes") }
        defer { position += count }
        return UnsafeRawBufferPointer(rebasing: bytes[position..<position + count])
    }

    @inlinable
    package mutating func fixed<Number: FixedWidthInteger>(
        _: Number.Type
    ) throws(Fault) -> Number {
        let size = MemoryLayout<Number>.size
        guard bytes.count - position >= size else { throw fault("\(size) bytes") }
        defer { position += size }
        return Number(
            littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: Number.self))
    }

    @inlinable
    package mutating func skip(_ wire: ProtobufWire) throws(Fault) {
        switch wire {
        case .varint: _ = try varint()
        case .fixed64: _ = try fixed(UInt64.self)
        case .bytes: _ = try slice()
        case .fixed32: _ = try fixed(UInt32.self)
        }
    }

    @inlinable
    package func fault(_ expected: String) -> Fault {
        .malformed(expected: expected, offset: offset + position)
    }
}
