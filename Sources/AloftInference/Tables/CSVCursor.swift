/// Steps over CSV (RFC 4180), field by field, without building anything. As for pandas a line also ends with a
/// lone carriage return, and quotes that do not begin a field stand for themselves.
struct CSVCursor {
    /// One field as it lies in the body.
    struct Field {
        /// Its bytes, with quotes where it has some.
        let range: Range<Int>
        /// Its length without quotes.
        let length: Int
        /// Whether it means what it is, byte by byte.
        let isPlain: Bool
        /// Whether its record ends with it.
        let endsRecord: Bool
    }

    let body: UnsafeRawBufferPointer
    private(set) var position: Int

    init(_ body: UnsafeRawBufferPointer, from position: Int = 0) {
        self.body = body
        self.position = position
    }

    /// Behind the byte order mark, where there is one.
    static func start(of body: UnsafeRawBufferPointer) -> Int {
        body.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    }

    /// Whether a field has nothing but blanks, and no quotes.
    func isBlank(_ field: Field) -> Bool {
        guard field.isPlain else { return false }
        return body[field.range].allSatisfy { $0 == 0x20 || $0 == 0x09 }
    }

    /// Whether another record follows.
    var hasMore: Bool { position < body.count }

    /// - Throws: `InferenceError.badTable` where the body ends within quotes.
    mutating func next() throws(InferenceError) -> Field {
        let start = position
        var at = start
        var (length, end) = (0, start)
        var isPlain = true
        var isQuoted = false
        while at < body.count {
            let byte = body[at]
            at += 1
            if isQuoted {
                if byte != UInt8(ascii: "\"") {
                    length += 1
                } else if at < body.count, body[at] == byte {
                    length += 1
                    at += 1
                } else {
                    isQuoted = false
                }
                end = at
                continue
            }
            switch byte {
            case UInt8(ascii: ","), UInt8(ascii: "\n"):
                position = at
                return Field(
                    range: start..<end, length: length, isPlain: isPlain,
                    endsRecord: byte == UInt8(ascii: "\n"))
            case UInt8(ascii: "\"") where at == start + 1:
                isQuoted = true
                isPlain = false
                end = at
            case UInt8(ascii: "\r"):
                if at < body.count, body[at] == UInt8(ascii: "\n") { at += 1 }
                position = at
                return Field(
                    range: start..<end, length: length, isPlain: isPlain, endsRecord: true)
            default:
                length += 1
                end = at
            }
        }
        guard !isQuoted else { throw .badTable(reason: "The CSV ends within a quoted field.") }
        position = at
        return Field(range: start..<end, length: length, isPlain: isPlain, endsRecord: true)
    }

    /// What a field means.
    ///
    /// - Parameter scratch: memory for one that has quotes.
    @discardableResult
    func withText<Result>(
        of field: Field, _ scratch: inout [UInt8], _ use: (UnsafeRawBufferPointer) -> Result
    ) -> Result {
        let raw = UnsafeRawBufferPointer(rebasing: body[field.range])
        guard !field.isPlain else { return use(raw) }
        scratch.removeAll(keepingCapacity: true)
        scratch.reserveCapacity(field.length)
        // It begins with a quote.
        var isQuoted = true
        var index = 1
        while index < raw.count {
            let byte = raw[index]
            index += 1
            if byte == UInt8(ascii: "\""), isQuoted {
                guard index < raw.count, raw[index] == byte else {
                    isQuoted = false
                    continue
                }
                index += 1
            }
            scratch.append(byte)
        }
        return scratch.withUnsafeBytes(use)
    }
}
