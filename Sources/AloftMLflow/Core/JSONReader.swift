import AloftDomain
import Foundation

/// Reads JSON as it comes from tracking clients: strictly but for the bare NaN, Infinity and -Infinity
/// that Python writes, with a bound on depth, and several times
/// quicker than Foundation, because log-batch is little else than reading numbers.
struct JSONReader {
    /// The text is no JSON, or too deep.
    struct Fault: Error, Equatable {
        let offset: Int
        let reason: String
    }

    private let bytes: UnsafeRawBufferPointer
    private(set) var offset = 0
    private let maxDepth: Int
    /// Memory that values may still take.
    private var bytesLeft: Int

    init(_ bytes: UnsafeRawBufferPointer, maxDepth: Int = 100) {
        self.bytes = bytes
        self.maxDepth = maxDepth
        bytesLeft = JSONMemory.allowed(for: bytes.count)
    }

    /// Reads one whole document.
    static func read(_ bytes: UnsafeRawBufferPointer, maxDepth: Int = 100) throws(Fault)
        -> JSONValue
    {
        var reader = JSONReader(bytes, maxDepth: maxDepth)
        let value = try reader.value(depth: 0)
        try reader.end()
        return value
    }

    /// Reads one whole document.
    static func read(text: String) throws -> JSONValue {
        var text = text
        return try text.withUTF8 { try read(UnsafeRawBufferPointer($0)) }
    }

    // MARK: Pieces

    func fault(_ reason: String) -> Fault { Fault(offset: offset, reason: reason) }

    /// Checks that nothing but space is left.
    mutating func end() throws(Fault) {
        guard peek() == nil else { throw fault("something follows the end") }
    }

    /// The next byte that is no space, without taking it.
    mutating func peek() -> UInt8? {
        while offset < bytes.count {
            let byte = bytes[offset]
            if byte != 0x20, byte != 0x0A, byte != 0x0D, byte != 0x09 { return byte }
            offset += 1
        }
        return nil
    }

    /// Takes `byte` if it comes next.
    mutating func take(_ byte: UInt8) -> Bool {
        guard peek() == byte else { return false }
        offset += 1
        return true
    }

    mutating func expect(_ byte: UInt8) throws(Fault) {
        guard take(byte) else { throw fault("expected '\(Character(UnicodeScalar(byte)))'") }
    }

    /// The bytes of a string without escapes, or `nil` (and nothing taken) if it has some.
    mutating func plainString() throws(Fault) -> UnsafeRawBufferPointer? {
        let before = offset
        try expect(0x22)
        let start = offset
        while offset < bytes.count {
            let byte = bytes[offset]
            if byte == 0x22 {
                defer { offset += 1 }
                return UnsafeRawBufferPointer(rebasing: bytes[start..<offset])
            }
            if byte == 0x5C {
                offset = before
                return nil
            }
            guard byte >= 0x20 else { throw fault("a control character in a string") }
            offset += 1
        }
        throw fault("a string has no end")
    }

    mutating func string() throws(Fault) -> String {
        if let plain = try plainString() {
            try charge(JSONMemory.string(plain.count))
            return try text(plain)
        }
        try expect(0x22)
        var result: [UInt8] = []
        while offset < bytes.count {
            let byte = bytes[offset]
            offset += 1
            switch byte {
            case 0x22:
                try charge(JSONMemory.string(result.count))
                return try text(result)
            case 0x5C: try escape(into: &result)
            case 0..<0x20: throw fault("a control character in a string")
            default: result.append(byte)
            }
        }
        throw fault("a string has no end")
    }

    private func text(_ bytes: some Collection<UInt8>) throws(Fault) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw fault("a string is no UTF-8")
        }
        return text
    }

    private mutating func escape(into result: inout [UInt8]) throws(Fault) {
        guard offset < bytes.count else { throw fault("a string has no end") }
        let byte = bytes[offset]
        offset += 1
        switch byte {
        case 0x22, 0x5C, 0x2F: result.append(byte)
        case UInt8(ascii: "b"): result.append(0x08)
        case UInt8(ascii: "f"): result.append(0x0C)
        case UInt8(ascii: "n"): result.append(0x0A)
        case UInt8(ascii: "r"): result.append(0x0D)
        case UInt8(ascii: "t"): result.append(0x09)
        case UInt8(ascii: "u"): try unicodeEscape(into: &result)
        default: throw fault("an unknown escape")
        }
    }

    private mutating func unicodeEscape(into result: inout [UInt8]) throws(Fault) {
        var code = try hexWord()
        if (0xD800..<0xDC00).contains(code), offset + 1 < bytes.count, bytes[offset] == 0x5C,
            bytes[offset + 1] == UInt8(ascii: "u")
        {
            offset += 2
            let low = try hexWord()
            if (0xDC00..<0xE000).contains(low) {
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
        }
        guard let scalar = UnicodeScalar(code) else {
            throw fault("half of a pair of surrogates, which stands for no character")
        }
        result.append(contentsOf: String(Character(scalar)).utf8)
    }

    private mutating func hexWord() throws(Fault) -> UInt32 {
        guard offset + 4 <= bytes.count else { throw fault("a string has no end") }
        var word: UInt32 = 0
        for _ in 0..<4 {
            let byte = bytes[offset]
            guard let digit = Character(UnicodeScalar(byte)).hexDigitValue else {
                throw fault("an escape needs four hexadecimal digits")
            }
            word = word << 4 | UInt32(digit)
            offset += 1
        }
        return word
    }

    /// A number: whole if it has neither fraction nor exponent and fits.
    mutating func number() throws(Fault) -> JSONValue {
        _ = peek()
        let start = offset
        let isNegative = offset < bytes.count && bytes[offset] == 0x2D
        if isNegative { offset += 1 }
        var mantissa: UInt64 = 0
        var digits = 0
        var exponent = 0
        let integerStart = offset
        digits += takeDigits(&mantissa)
        let integerDigits = offset - integerStart
        guard integerDigits > 0, integerDigits == 1 || bytes[integerStart] != 0x30 else {
            throw fault("no number")
        }
        var isWhole = true
        if offset < bytes.count, bytes[offset] == 0x2E {
            isWhole = false
            offset += 1
            let fraction = takeDigits(&mantissa)
            guard fraction > 0 else { throw fault("no number") }
            digits += fraction
            exponent -= fraction
        }
        if offset < bytes.count, bytes[offset] | 0x20 == 0x65 {
            isWhole = false
            exponent += try takeExponent()
        }
        // traps: at most 18 digits
        if isWhole, digits <= 18 { return .int(isNegative ? -Int64(mantissa) : Int64(mantissa)) }
        if !isWhole, digits <= 18, mantissa < 1 << 53, abs(exponent) <= 22 {
            // Both are exact, so one rounding gives the nearest (Clinger, PLDI 1990).
            let scale = Self.powersOfTen[abs(exponent)]
            let size = exponent < 0 ? Double(mantissa) / scale : Double(mantissa) * scale
            return .double(isNegative ? -size : size)
        }
        let text = String(decoding: bytes[start..<offset], as: UTF8.self)
        if isWhole, let whole = Int64(text) { return .int(whole) }
        guard let value = Double(text) else { throw fault("no number") }
        return .double(value)
    }

    private static let powersOfTen: [Double] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
        1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
    ]

    private mutating func takeDigits(_ mantissa: inout UInt64) -> Int {
        let start = offset
        while offset < bytes.count {
            let digit = bytes[offset] &- 0x30
            guard digit <= 9 else { break }
            mantissa = mantissa &* 10 &+ UInt64(digit)
            offset += 1
        }
        return offset - start
    }

    private mutating func takeExponent() throws(Fault) -> Int {
        offset += 1
        var isNegative = false
        if offset < bytes.count, bytes[offset] == 0x2B || bytes[offset] == 0x2D {
            isNegative = bytes[offset] == 0x2D
            offset += 1
        }
        var size: UInt64 = 0
        let count = takeDigits(&size)
        guard count > 0 else { throw fault("no number") }
        guard count < 10 else { return isNegative ? -100_000 : 100_000 }
        // traps: fewer than ten digits
        return isNegative ? -Int(size) : Int(size)
    }

    // MARK: Values

    private mutating func charge(_ memory: Int) throws(Fault) {
        bytesLeft -= memory
        guard bytesLeft >= 0 else {
            throw fault("more values than may be in a body of its size; send fewer at a time")
        }
    }

    mutating func value(depth: Int) throws(Fault) -> JSONValue {
        guard depth <= maxDepth else { throw fault("deeper than \(maxDepth) levels") }
        switch peek() {
        case 0x7B: return .object(try object(depth: depth))
        case 0x5B: return .array(try array(depth: depth))
        case 0x22: return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case UInt8(ascii: "N"): return try word("NaN", .double(.nan))
        case UInt8(ascii: "I"): return try word("Infinity", .double(.infinity))
        case UInt8(ascii: "-") where offset + 1 < bytes.count && bytes[offset + 1] == 0x49:
            return try word("-Infinity", .double(-.infinity))
        case nil: throw fault("it ends too early")
        default: return try number()
        }
    }

    private mutating func word(_ word: StaticString, _ value: JSONValue) throws(Fault) -> JSONValue
    {
        let count = word.utf8CodeUnitCount
        guard offset + count <= bytes.count,
            bytes[offset..<offset + count].elementsEqual(
                UnsafeBufferPointer(start: word.utf8Start, count: count))
        else { throw fault("no value") }
        offset += count
        return value
    }

    private mutating func array(depth: Int) throws(Fault) -> [JSONValue] {
        try expect(0x5B)
        try charge(JSONMemory.list)
        guard !take(0x5D) else { return [] }
        var items: [JSONValue] = []
        while true {
            try charge(JSONMemory.item)
            items.append(try value(depth: depth + 1))
            if take(0x5D) { return items }
            try expect(0x2C)
        }
    }

    /// A name that comes twice stands for its last value; two that only look alike are two names,
    /// of which neither may be lost.
    private func checkRepeat(
        _ name: String, in members: [String: JSONValue]  // text: this looks for its lookalikes
    ) throws(Fault) {
        guard let place = members.index(forKey: name), !members[place].key.isSame(as: name)
        else { return }
        throw fault(
            "'\(name.prefix(100))' is there twice, in two spellings of Unicode that look alike")
    }

    private mutating func object(depth: Int) throws(Fault) -> [String: JSONValue] {
        try expect(0x7B)
        try charge(JSONMemory.object)
        guard !take(0x7D) else { return [:] }
        var members: [String: JSONValue] = [:]
        while true {
            guard peek() == 0x22 else { throw fault("a member needs a name") }
            let name = try string()
            try charge(JSONMemory.member(after: members.count))
            try expect(0x3A)
            if members.updateValue(try value(depth: depth + 1), forKey: name) != nil {
                try checkRepeat(name, in: members)
            }
            if take(0x7D) { return members }
            try expect(0x2C)
        }
    }
}

/// What values of JSON take in memory at most, in bytes: a body of seven bytes an object would
/// otherwise take sixty times its size.
enum JSONMemory {
    static let list = 96
    static let item = 72
    /// With what reads its fields.
    static let object = 150

    /// One more member of an object that has `count`: large tables are copied as they grow.
    static func member(after count: Int) -> Int { count < 64 ? 88 : 160 }

    static func string(_ count: Int) -> Int { count < 16 ? 0 : count + 48 }

    /// What a body of so many bytes may take, beside itself.
    static func allowed(for count: Int) -> Int { count * 6 + (1 << 20) }
}
