/// Walks over a JSON text in memory, without building anything. It never reads past the end and
/// nests at most 64 deep, whatever the text holds.
///
/// Beyond RFC 8259 it takes the numbers `NaN`, `Infinity` and `-Infinity`, which Python's `json`
/// module writes.
package struct JSONCursor {
    package let base: UnsafePointer<UInt8>
    package let end: Int
    package private(set) var position: Int

    static let maximumDepth = 64

    /// The memory of `bytes` must outlive the cursor.
    package init(_ bytes: UnsafeRawBufferPointer, from position: Int = 0) {
        // An empty buffer may have no address; nothing is read from this one.
        base =
            bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
            // traps: 1 is no null
            ?? UnsafePointer(bitPattern: 1).unsafelyUnwrapped
        end = bytes.count
        self.position = position
    }

    package func fault(_ expected: String) -> InferenceError {
        .malformed(expected: expected, offset: position)
    }

    /// The next byte that is no white space; 0 at the end.
    @inline(__always)
    package mutating func peek() -> UInt8 {
        while position < end {
            let byte = base[position]
            if byte > 0x20 { return byte }
            guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return byte }
            position += 1
        }
        return 0
    }

    /// Takes the next byte if it is this one.
    @inline(__always)
    package mutating func take(_ byte: UInt8) -> Bool {
        guard peek() == byte, position < end else { return false }
        position += 1
        return true
    }

    @inline(__always)
    package mutating func expect(_ byte: UInt8) throws(InferenceError) {
        guard take(byte) else {
            throw fault("'\(Character(UnicodeScalar(byte)))'")
        }
    }

    /// Nothing may follow the value.
    package mutating func expectEnd() throws(InferenceError) {
        guard peek() == 0, position == end else { throw fault("the end of the body") }
    }

    /// After a member of an object or array: true if another follows, false at `close`.
    @inline(__always)
    package mutating func more(until close: UInt8) throws(InferenceError) -> Bool {
        let byte = peek()
        guard position < end, byte == UInt8(ascii: ",") || byte == close else {
            throw fault("',' or '\(Character(UnicodeScalar(close)))'")
        }
        position += 1
        return byte != close
    }

    /// Opens an object or array: true if it has a first member.
    @inline(__always)
    package mutating func open(_ bracket: UInt8, close: UInt8) throws(InferenceError) -> Bool {
        try expect(bracket)
        return !take(close)
    }

    package func slice(from start: Int, to stop: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: base + start, count: stop - start)
    }

    mutating func advance(to position: Int) { self.position = position }
}

// MARK: Strings

extension JSONCursor {
    /// A string as it stands between the quotes.
    package struct RawString {
        package let bytes: UnsafeRawBufferPointer
        package let hasEscapes: Bool
    }

    package mutating func rawString() throws(InferenceError) -> RawString {
        try expect(UInt8(ascii: "\""))
        let start = position
        var hasEscapes = false
        var hasHighBytes = false
        while position < end {
            let byte = base[position]
            if byte == UInt8(ascii: "\"") {
                let bytes = slice(from: start, to: position)
                if hasHighBytes, String(validating: bytes, as: UTF8.self) == nil {
                    throw fault("valid UTF-8 in the string before")
                }
                position += 1
                return RawString(bytes: bytes, hasEscapes: hasEscapes)
            }
            guard byte >= 0x20 else { throw fault("no control character within a string") }
            if byte == UInt8(ascii: "\\") {
                hasEscapes = true
                position += 1
            }
            hasHighBytes = hasHighBytes || byte >= 0x80
            position += 1
        }
        position = end
        throw fault("the end of a string")
    }

    package mutating func string() throws(InferenceError) -> String {
        let raw = try rawString()
        guard raw.hasEscapes else { return String(decoding: raw.bytes, as: UTF8.self) }
        return String(decoding: try unescaped(raw), as: UTF8.self)
    }

    /// A key of an object and its colon.
    package mutating func key() throws(InferenceError) -> RawString {
        let key = try rawString()
        try expect(UInt8(ascii: ":"))
        return key
    }

    /// The bytes that a string with escapes means (RFC 8259, section 7).
    package func unescaped(_ raw: RawString) throws(InferenceError) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(raw.bytes.count)
        var index = 0
        while index < raw.bytes.count {
            let byte = raw.bytes[index]
            index += 1
            guard byte == UInt8(ascii: "\\") else {
                result.append(byte)
                continue
            }
            guard index < raw.bytes.count else { throw fault("an escaped character") }
            let escape = raw.bytes[index]
            index += 1
            switch escape {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): result.append(escape)
            case UInt8(ascii: "b"): result.append(0x08)
            case UInt8(ascii: "f"): result.append(0x0C)
            case UInt8(ascii: "n"): result.append(0x0A)
            case UInt8(ascii: "r"): result.append(0x0D)
            case UInt8(ascii: "t"): result.append(0x09)
            case UInt8(ascii: "u"):
                let scalar = try scalar(raw.bytes, &index)
                result.append(contentsOf: String(scalar).utf8)
            default: throw fault("a known escape in the string before")
            }
        }
        return result
    }

    /// That a string means something: each escape is one, and surrogates are in pairs. Builds nothing.
    package func checkEscapes(_ raw: RawString) throws(InferenceError) {
        var index = 0
        while index < raw.bytes.count {
            let byte = raw.bytes[index]
            index += 1
            guard byte == UInt8(ascii: "\\") else { continue }
            guard index < raw.bytes.count else { throw fault("an escaped character") }
            let escape = raw.bytes[index]
            index += 1
            switch escape {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"),
                UInt8(ascii: "f"), UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
                break
            case UInt8(ascii: "u"): _ = try scalar(raw.bytes, &index)
            default: throw fault("a known escape in the string before")
            }
        }
    }

    private func scalar(
        _ bytes: UnsafeRawBufferPointer, _ index: inout Int
    ) throws(InferenceError) -> Unicode.Scalar {
        let first = try hexadecimal(bytes, &index)
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard (0xD800..<0xDC00).contains(first), index + 1 < bytes.count,
            bytes[index] == UInt8(ascii: "\\"), bytes[index + 1] == UInt8(ascii: "u")
        else { throw fault("a pair of surrogates in the string before") }
        index += 2
        let second = try hexadecimal(bytes, &index)
        guard (0xDC00..<0xE000).contains(second),
            let scalar = Unicode.Scalar(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00))
        else { throw fault("a pair of surrogates in the string before") }
        return scalar
    }

    private func hexadecimal(
        _ bytes: UnsafeRawBufferPointer, _ index: inout Int
    ) throws(InferenceError) -> UInt32 {
        guard index + 4 <= bytes.count else { throw fault("four digits after \\u") }
        var value: UInt32 = 0
        for byte in bytes[index..<index + 4] {
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte &- 48
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte &- 87
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte &- 55
            default: throw fault("four digits after \\u")
            }
            value = value << 4 | UInt32(truncatingIfNeeded: digit)
        }
        index += 4
        return value
    }
}

// MARK: Whole values

extension JSONCursor {
    /// Steps over any value, checking that it is one.
    package mutating func skipValue(depth: Int = 0) throws(InferenceError) {
        guard depth < Self.maximumDepth else { throw fault("less nesting") }
        switch peek() {
        case UInt8(ascii: "{"):
            guard try open(UInt8(ascii: "{"), close: UInt8(ascii: "}")) else { return }
            repeat {
                let key = try key()
                if key.hasEscapes { try checkEscapes(key) }
                try skipValue(depth: depth + 1)
            } while try more(until: UInt8(ascii: "}"))
        case UInt8(ascii: "["):
            guard try open(UInt8(ascii: "["), close: UInt8(ascii: "]")) else { return }
            repeat { try skipValue(depth: depth + 1) } while try more(until: UInt8(ascii: "]"))
        case UInt8(ascii: "\""):
            let text = try rawString()
            if text.hasEscapes { try checkEscapes(text) }
        case UInt8(ascii: "t"): try literal("true")
        case UInt8(ascii: "f"): try literal("false")
        case UInt8(ascii: "n"): try literal("null")
        default: _ = try number()
        }
    }

    /// Goes on where it was before.
    mutating func back(to place: Int) { position = max(0, min(place, position)) }

    /// Takes this word.
    package mutating func literal(_ word: StaticString) throws(InferenceError) {
        guard takeLiteral(word) else { throw fault("a value") }
    }

    package mutating func takeLiteral(_ word: StaticString) -> Bool {
        _ = peek()
        guard end - position >= word.utf8CodeUnitCount else { return false }
        for index in 0..<word.utf8CodeUnitCount
        where base[position + index] != word.utf8Start[index] {
            return false
        }
        position += word.utf8CodeUnitCount
        return true
    }

    package mutating func boolean() throws(InferenceError) -> Bool {
        if takeLiteral("true") { return true }
        guard takeLiteral("false") else { throw fault("true or false") }
        return false
    }
}
