/// The parts of a JSON document as places in its bytes, so that each can be read for itself: a list is never
/// there as a whole. What a part holds is looked at by whoever reads it.
struct JSONParts {
    private let bytes: UnsafeRawBufferPointer
    private var offset: Int
    private let end: Int

    init(_ bytes: UnsafeRawBufferPointer) { self.init(bytes, 0..<bytes.count) }

    /// - Parameter place: within the bytes.
    private init(_ bytes: UnsafeRawBufferPointer, _ place: Range<Int>) {
        self.bytes = bytes
        offset = place.lowerBound
        end = place.upperBound
    }

    /// The values of an object by these names; others are passed over.
    ///
    /// - Throws: `BodyError.malformed`, also for a name that comes twice.
    // text: names of our own
    mutating func members(named names: [String]) throws(BodyError) -> [String: Range<Int>] {
        // text: names of our own
        var found: [String: Range<Int>] = [:]
        try open(UInt8(ascii: "{"), "an object")
        var isFirst = true
        while try !closes(UInt8(ascii: "}"), isFirst: isFirst) {
            isFirst = false
            guard peek() == UInt8(ascii: "\"") else { throw malformed("a name") }
            let name = try value()
            guard next() == UInt8(ascii: ":") else { throw malformed("a colon") }
            let place = try value()
            let text = bytes[name].dropFirst().dropLast()
            guard let known = names.first(where: { $0.utf8.elementsEqual(text) }) else { continue }
            guard found.updateValue(place, forKey: known) == nil else {
                throw .malformed(reason: "\(known) is there twice")
            }
        }
        guard peek() == nil else { throw malformed("its end") }
        return found
    }

    /// Calls `body` with the place of each item of the list at `place`, in order.
    static func forEachItem(
        of bytes: UnsafeRawBufferPointer, at place: Range<Int>,
        _ body: (Range<Int>) throws -> Void
    ) throws {
        var parts = JSONParts(bytes, place)
        try parts.open(UInt8(ascii: "["), "a list")
        var isFirst = true
        while try !parts.closes(UInt8(ascii: "]"), isFirst: isFirst) {
            isFirst = false
            try body(try parts.value())
        }
    }

    // MARK: Bytes

    private mutating func open(_ mark: UInt8, _ what: String) throws(BodyError) {
        guard next() == mark else { throw malformed(what) }
    }

    /// Whether the object or list ends here; else a comma is passed, but before the first.
    private mutating func closes(_ mark: UInt8, isFirst: Bool) throws(BodyError) -> Bool {
        if peek() == mark {
            offset += 1
            return true
        }
        if isFirst { return false }
        guard next() == UInt8(ascii: ",") else { throw malformed("a comma") }
        return false
    }

    /// The next byte that is no white space, without taking it.
    private mutating func peek() -> UInt8? {
        while offset < end {
            switch bytes[offset] {
            case 0x20, 0x09, 0x0A, 0x0D: offset += 1
            default: return bytes[offset]
            }
        }
        return nil
    }

    private mutating func next() -> UInt8? {
        guard let byte = peek() else { return nil }
        offset += 1
        return byte
    }

    /// Passes one value.
    private mutating func value() throws(BodyError) -> Range<Int> {
        guard let first = peek() else { throw malformed("a value") }
        let start = offset
        var depth = 0
        repeat {
            guard offset < end else { throw malformed("the end of a value") }
            let byte = bytes[offset]
            switch byte {
            case UInt8(ascii: "\""): try passText()
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                offset += 1
                guard depth <= BodyWeight.maxDepth else {
                    throw .malformed(reason: "it is deeper than \(BodyWeight.maxDepth) levels")
                }
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                offset += 1
            default: offset += 1
            }
        } while depth > 0
        guard depth == 0 else { throw malformed("a value") }
        switch first {
        case UInt8(ascii: "\""), UInt8(ascii: "{"), UInt8(ascii: "["): break
        default: passWord()
        }
        return start..<offset
    }

    private mutating func passText() throws(BodyError) {
        offset += 1
        while offset < end {
            let byte = bytes[offset]
            offset += byte == UInt8(ascii: "\\") ? 2 : 1
            if byte == UInt8(ascii: "\"") { return }
        }
        throw malformed("the end of a text")
    }

    /// The rest of a number, or of `true`, `false` and `null`.
    private mutating func passWord() {
        while offset < end {
            switch bytes[offset] {
            case UInt8(ascii: ","), UInt8(ascii: "}"), UInt8(ascii: "]"), UInt8(ascii: ":"), 0x20,
                0x09, 0x0A, 0x0D:
                return
            default: offset += 1
            }
        }
    }

    private func malformed(_ expected: String) -> BodyError {
        .malformed(reason: "before byte \(min(offset, end)): expected \(expected)")
    }
}
