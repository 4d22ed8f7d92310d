import AloftDomain

/// Writes the JSON of answers straight into bytes. Empty lists and missing members are left out, as
/// the protocol has it.
struct JSONWriter {
    private(set) var bytes: [UInt8] = []
    private var needsComma = false

    /// One object as a document.
    static func document(_ body: (inout JSONWriter) -> Void) -> [UInt8] {
        var writer = JSONWriter()
        writer.object(body)
        return writer.bytes
    }

    /// Values with commas between them, for a list that is written in parts.
    static func elements<Items: Collection>(
        _ items: Items, _ each: (inout JSONWriter, Items.Element) -> Void
    ) -> [UInt8] {
        var writer = JSONWriter()
        for item in items { each(&writer, item) }
        return writer.bytes
    }

    mutating func object(_ body: (inout JSONWriter) -> Void) {
        separate()
        bytes.append(0x7B)
        needsComma = false
        body(&self)
        bytes.append(0x7D)
        needsComma = true
    }

    mutating func object(_ name: StaticString, _ body: (inout JSONWriter) -> Void) {
        key(name)
        object(body)
    }

    /// A list, left out if it is empty.
    mutating func list<Items: Collection>(
        _ name: StaticString, _ items: Items, _ each: (inout JSONWriter, Items.Element) -> Void
    ) {
        guard !items.isEmpty else { return }
        wholeList(name, items, each)
    }

    /// As `list`, also where there is nothing to list.
    mutating func wholeList<Items: Collection>(
        _ name: StaticString, _ items: Items, _ each: (inout JSONWriter, Items.Element) -> Void
    ) {
        key(name)
        bytes.append(0x5B)
        needsComma = false
        for item in items { each(&self, item) }
        bytes.append(0x5D)
        needsComma = true
    }

    mutating func member(_ name: StaticString, _ value: String?) {
        guard let value else { return }
        key(name)
        string(value)
    }

    mutating func member(_ name: StaticString, _ value: Int64?) {
        guard let value else { return }
        key(name)
        number(value)
    }

    mutating func member(_ name: StaticString, _ value: Bool) {
        key(name)
        bytes.append(contentsOf: (value ? "true" : "false").utf8)
        needsComma = true
    }

    /// NaN is written as the text "NaN".
    mutating func member(_ name: StaticString, _ value: Double) {
        key(name)
        if value.isNaN { return string("NaN") }
        if value.isInfinite { return string(value < 0 ? "-Infinity" : "Infinity") }
        separate()
        if let whole = Int64(exactly: value), whole.magnitude < 1 << 50, whole != 0 {
            digits(whole)
            bytes.append(contentsOf: ".0".utf8)
        } else {
            bytes.append(contentsOf: value.description.utf8)
        }
        needsComma = true
    }

    mutating func member(_ name: StaticString, json: JSONValue) {
        key(name)
        value(json)
    }

    /// Texts by name, each once, as one object.
    mutating func map(_ name: StaticString, _ texts: [NamedText]) {
        guard !texts.isEmpty else { return }
        object(name) { writer in
            for text in texts {
                writer.string(text.key)
                writer.bytes.append(0x3A)
                writer.needsComma = false
                writer.string(text.value)
            }
        }
    }

    mutating func member(_ name: StaticString, raw json: String) {
        key(name)
        raw(json)
    }

    /// A document that is written already.
    mutating func raw(_ json: String) {
        separate()
        bytes.append(contentsOf: json.utf8)
        needsComma = true
    }

    mutating func string(_ value: String) {
        separate()
        bytes.append(0x22)
        var value = value
        value.withUTF8 { text in
            var start = 0
            for index in text.indices
            where text[index] < 0x20 || text[index] == 0x22
                || text[index] == 0x5C
            {
                bytes.append(contentsOf: text[start..<index])
                escape(text[index])
                start = index + 1
            }
            bytes.append(contentsOf: text[start...])
        }
        bytes.append(0x22)
        needsComma = true
    }

    mutating func number(_ value: Int64) {
        separate()
        digits(value)
        needsComma = true
    }

    /// Without a string in between: a history is little else than numbers.
    private mutating func digits(_ value: Int64) {
        if value < 0 { bytes.append(0x2D) }
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { buffer in
            var start = buffer.count
            var rest = value.magnitude
            repeat {
                start -= 1
                buffer[start] = UInt8(truncatingIfNeeded: rest % 10) + 0x30
                rest /= 10
            } while rest > 0
            bytes.append(contentsOf: buffer[start...])
        }
    }

    mutating func value(_ value: JSONValue) {
        switch value {
        case .null: word("null")
        case .bool(let flag): word(flag ? "true" : "false")
        case .int(let number): self.number(number)
        case .double(let number) where number.isFinite: word(number.description)
        case .double(let number):
            string(number.isNaN ? "NaN" : number < 0 ? "-Infinity" : "Infinity")
        case .string(let text): string(text)
        case .array(let items):
            separate()
            bytes.append(0x5B)
            needsComma = false
            for item in items { self.value(item) }
            bytes.append(0x5D)
            needsComma = true
        case .object(let members):
            object { writer in
                for (name, member) in members.sorted(by: { $0.key < $1.key }) {
                    writer.string(name)
                    writer.bytes.append(0x3A)
                    writer.needsComma = false
                    writer.value(member)
                }
            }
        }
    }

    private mutating func word(_ text: String) {
        separate()
        bytes.append(contentsOf: text.utf8)
        needsComma = true
    }

    private mutating func key(_ name: StaticString) {
        separate()
        bytes.append(0x22)
        bytes.append(
            contentsOf: UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
        bytes.append(0x22)
        bytes.append(0x3A)
        needsComma = false
    }

    private mutating func separate() {
        if needsComma { bytes.append(0x2C) }
        needsComma = false
    }

    private mutating func escape(_ byte: UInt8) {
        switch byte {
        case 0x22, 0x5C: bytes += [0x5C, byte]
        case 0x0A: bytes += [0x5C, UInt8(ascii: "n")]
        case 0x0D: bytes += [0x5C, UInt8(ascii: "r")]
        case 0x09: bytes += [0x5C, UInt8(ascii: "t")]
        default:
            let digits = Array("0123456789abcdef".utf8)
            bytes.append(contentsOf: Array("\\u00".utf8))
            // traps: half a byte, and there are sixteen digits
            bytes += [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
    }
}
