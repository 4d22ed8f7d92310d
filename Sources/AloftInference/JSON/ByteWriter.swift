/// Writes into memory whose size was reckoned before, so that no write has to ask for room.
package struct ByteWriter {
    package let start: UnsafeMutablePointer<UInt8>
    package private(set) var count = 0
    private let capacity: Int

    package init(_ memory: UnsafeMutableRawBufferPointer) {
        // traps: a bound that was reckoned too small is a fault of ours; to write on would be worse
        precondition(!memory.isEmpty, "a writer needs room")
        // Not empty, so it has an address.
        // traps: not empty, so it has an address
        start = memory.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: UInt8.self)
        capacity = memory.count
    }

    @inline(__always)
    package mutating func write(_ byte: UInt8) {
        // traps: a bound that was reckoned too small is a fault of ours; to write on would be worse
        precondition(count < capacity)
        start[count] = byte
        count += 1
    }

    @inline(__always)
    package mutating func write(_ text: StaticString) {
        // traps: a bound that was reckoned too small is a fault of ours; to write on would be worse
        precondition(capacity - count >= text.utf8CodeUnitCount)
        (start + count).update(from: text.utf8Start, count: text.utf8CodeUnitCount)
        count += text.utf8CodeUnitCount
    }

    @inline(__always)
    package mutating func write(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { write($0) }
    }

    package mutating func write(_ bytes: UnsafeRawBufferPointer) {
        // traps: a bound that was reckoned too small is a fault of ours; to write on would be worse
        precondition(capacity - count >= bytes.count)
        UnsafeMutableRawPointer(start + count).copyBytes(from: bytes)
        count += bytes.count
    }

    package mutating func write(utf8 text: String) {
        var text = text
        text.withUTF8 { write(UnsafeRawBufferPointer($0)) }
    }

    @inline(__always)
    package mutating func write(decimal value: UInt64) {
        guard value >= 10 else { return write(UInt8(truncatingIfNeeded: 48 + value)) }
        var rest = value
        var digits = 1
        while rest >= 10 {
            rest /= 10
            digits += 1
        }
        // traps: a bound that was reckoned too small is a fault of ours; to write on would be worse
        precondition(capacity - count >= digits)
        rest = value
        var at = count + digits
        while at > count {
            at -= 1
            start[at] = UInt8(truncatingIfNeeded: 48 + rest % 10)
            rest /= 10
        }
        count += digits
    }

    /// The upper digits of the eight hexadecimal ones of a number, which are made all at once. Room for
    /// eight is needed whatever `digits` says.
    @inline(__always)
    package mutating func write(hexadecimal value: UInt32, digits: Int = 8) {
        // traps: a bound that was reckoned too small is a fault of ours; to write on would be worse
        precondition(capacity - count >= 8)
        // Each digit into a byte of its own.
        var spread = UInt64(truncatingIfNeeded: value)
        spread = (spread | spread << 16) & 0x0000_FFFF_0000_FFFF
        spread = (spread | spread << 8) & 0x00FF_00FF_00FF_00FF
        spread = (spread | spread << 4) & 0x0F0F_0F0F_0F0F_0F0F
        let letters = ((spread &+ 0x0606_0606_0606_0606) >> 4) & 0x0101_0101_0101_0101
        let text = spread &+ 0x3030_3030_3030_3030 &+ letters &* 0x27
        UnsafeMutableRawPointer(start + count).storeBytes(of: text.bigEndian, as: UInt64.self)
        count += digits
    }

    @inline(__always)
    package mutating func write(decimal value: Int64) {
        if value < 0 { write(UInt8(ascii: "-")) }
        write(decimal: value.magnitude)
    }

    /// Writes a number right-aligned into an earlier gap of `width` bytes.
    package func patch(decimal value: Int, at offset: Int, width: Int) {
        var rest = value
        for index in stride(from: offset + width - 1, through: offset, by: -1) {
            guard rest > 0 || index == offset + width - 1 else { break }
            start[index] = UInt8(truncatingIfNeeded: 48 + rest % 10)
            rest /= 10
        }
        // traps: a bound that was reckoned too small is a fault of ours; to write on would be worse
        precondition(rest == 0 || value < 10, "the number fits the gap")
    }
}

// MARK: JSON

extension ByteWriter {
    /// The most bytes that a string of so many bytes takes, with its quotes.
    package static func stringBound(_ byteCount: Int) -> Int { 6 * byteCount + 2 }

    /// A JSON string; bytes that are no UTF-8 become U+FFFD.
    package mutating func write(string bytes: UnsafeRawBufferPointer) {
        let isText = String(validating: bytes, as: UTF8.self) != nil
        write(UInt8(ascii: "\""))
        if isText {
            escape(bytes)
        } else {
            var text = String(decoding: bytes, as: UTF8.self)
            text.withUTF8 { escape(UnsafeRawBufferPointer($0)) }
        }
        write(UInt8(ascii: "\""))
    }

    private mutating func escape(_ bytes: UnsafeRawBufferPointer) {
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "\""): write("\\\"")
            case UInt8(ascii: "\\"): write("\\\\")
            case 0x0A: write("\\n")
            case 0x0D: write("\\r")
            case 0x09: write("\\t")
            case 0..<0x20:
                write("\\u00")
                write(Self.hexadecimalDigit(byte >> 4))
                write(Self.hexadecimalDigit(byte & 15))
            default: write(byte)
            }
        }
    }

    static func hexadecimalDigit(_ value: UInt8) -> UInt8 { value < 10 ? 48 + value : 87 + value }

    package mutating func write(string text: String) {
        var text = text
        text.withUTF8 { write(string: UnsafeRawBufferPointer($0)) }
    }

    /// The shortest decimal that reads back as this value. What JSON has no number for: NaN is null,
    /// an infinity is ±1e999, which readers take for it.
    package mutating func write(float value: Float) {
        guard value.isFinite else { return write(special: Double(value)) }
        write(utf8: value.description)
    }

    package mutating func write(double value: Double) {
        guard value.isFinite else { return write(special: value) }
        write(utf8: value.description)
    }

    private mutating func write(special value: Double) {
        if value.isNaN {
            write("null")
        } else if value > 0 {
            write("1e999")
        } else {
            write("-1e999")
        }
    }
}

/// Text that a JSON string may hold, made once.
package enum JSONText {
    /// Adds a JSON string; bytes that are no UTF-8 become U+FFFD.
    static func append(_ bytes: UnsafeRawBufferPointer, to text: inout [UInt8]) {
        guard String(validating: bytes, as: UTF8.self) != nil else {
            var repaired = String(decoding: bytes, as: UTF8.self)
            return repaired.withUTF8 { append(UnsafeRawBufferPointer($0), to: &text) }
        }
        text.append(UInt8(ascii: "\""))
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                text.append(UInt8(ascii: "\\"))
                text.append(byte)
            case 0..<0x20:
                text.append(contentsOf: [0x5C, 0x75, 0x30, 0x30])
                text.append(ByteWriter.hexadecimalDigit(byte >> 4))
                text.append(ByteWriter.hexadecimalDigit(byte & 15))
            default: text.append(byte)
            }
        }
        text.append(UInt8(ascii: "\""))
    }

    package static func quoted(_ text: String) -> [UInt8] {
        var text = text
        return text.withUTF8 { utf8 in
            [UInt8](unsafeUninitializedCapacity: ByteWriter.stringBound(utf8.count)) {
                memory, count in
                var writer = ByteWriter(UnsafeMutableRawBufferPointer(memory))
                writer.write(string: UnsafeRawBufferPointer(utf8))
                count = writer.count
            }
        }
    }
}
