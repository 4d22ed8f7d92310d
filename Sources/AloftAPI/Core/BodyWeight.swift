/// What a body of JSON would take in memory, told by one look at its bytes before anything is read: a
/// list of `[0],` takes forty times its length once it is values, and is as quick to send as a text.
struct BodyWeight {
    /// In bytes, with what the decoder notes of each.
    private static let container = 160
    private static let item = 96
    private static let member = 256
    static let maxDepth = 100

    private let bytes: UnsafeRawBufferPointer
    private var offset = 0
    private var depth = 0
    private var left: Int

    /// - Parameter perByte: what each byte of the body may take, beside the body itself and 1 MiB.
    /// - Throws: `BodyError.malformed` if it is too heavy or too deep, or if a text holds half of a pair
    ///   of surrogates. Whether it is JSON at all is left to the decoder.
    static func check(_ bytes: UnsafeRawBufferPointer, perByte: Int) throws(BodyError) {
        var weight = BodyWeight(bytes: bytes, left: bytes.count * perByte + (1 << 20))
        try weight.check()
    }

    private init(bytes: UnsafeRawBufferPointer, left: Int) {
        self.bytes = bytes
        self.left = left
    }

    private mutating func check() throws(BodyError) {
        while offset < bytes.count {
            let byte = bytes[offset]
            offset += 1
            switch byte {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                guard depth <= Self.maxDepth else {
                    throw .malformed(reason: "it is deeper than \(Self.maxDepth) levels")
                }
                try take(Self.container)
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
            case UInt8(ascii: ","): try take(Self.item)
            case UInt8(ascii: ":"): try take(Self.member)
            case UInt8(ascii: "\""): try text()
            default: break
            }
        }
    }

    private mutating func take(_ memory: Int) throws(BodyError) {
        left -= memory
        guard left >= 0 else {
            throw .malformed(
                reason:
                    "it holds more values than may be in a body of its size; send fewer at a time")
        }
    }

    private mutating func text() throws(BodyError) {
        let start = offset
        while offset < bytes.count {
            let byte = bytes[offset]
            offset += 1
            if byte == UInt8(ascii: "\"") {
                let count = offset - start
                return try take(count < 17 ? 0 : count + 48)
            }
            if byte == UInt8(ascii: "\\") { try escape() }
        }
    }

    private mutating func escape() throws(BodyError) {
        guard offset < bytes.count else { return }
        let kind = bytes[offset]
        offset += 1
        guard kind == UInt8(ascii: "u"), let word = hexWord(at: offset) else { return }
        offset += 4
        guard (0xD800..<0xE000).contains(word) else { return }
        guard word < 0xDC00, offset + 1 < bytes.count, bytes[offset] == UInt8(ascii: "\\"),
            bytes[offset + 1] == UInt8(ascii: "u"), let low = hexWord(at: offset + 2),
            (0xDC00..<0xE000).contains(low)
        else {
            throw .malformed(
                reason: "half of a pair of surrogates, which stands for no character, before byte "
                    + "\(offset)")
        }
        offset += 6
    }

    private func hexWord(at place: Int) -> UInt32? {
        guard place + 4 <= bytes.count else { return nil }
        var word: UInt32 = 0
        for byte in bytes[place..<place + 4] {
            switch byte {
            case 48...57: word = word << 4 | UInt32(byte - 48)
            case 65...70: word = word << 4 | UInt32(byte - 55)
            case 97...102: word = word << 4 | UInt32(byte - 87)
            default: return nil
            }
        }
        return word
    }
}
