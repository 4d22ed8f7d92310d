import AloftDomain

/// Refuses exported spans that would take far more memory than they are long, before any is read: an
/// empty span has two bytes on the wire and five hundred in memory.
struct SpanWeight {
    /// The messages of the export, as far as they hold others.
    enum Message {
        case request, resourceSpans, resource, scopeSpans, span, event, link, keyValue, value
        case list, map, leaf

        /// What the field of this number holds; `nil` for texts, numbers and what is not known.
        func child(_ field: UInt64) -> Message? {
            switch (self, field) {
            case (.request, 1): .resourceSpans
            case (.resourceSpans, 1): .resource
            case (.resourceSpans, 2): .scopeSpans
            case (.scopeSpans, 2): .span
            case (.resource, 1), (.span, 9), (.event, 3), (.link, 4), (.map, 1): .keyValue
            case (.span, 11): .event
            case (.span, 13): .link
            case (.span, 15): .leaf
            case (.keyValue, 2), (.list, 1): .value
            case (.value, 5): .list
            case (.value, 6): .map
            default: nil
            }
        }

        /// In memory, in bytes, with what a growing list of them takes.
        var weight: Int {
            switch self {
            case .span: 600
            case .event, .link: 300
            case .resourceSpans, .scopeSpans, .resource: 200
            case .keyValue: 240
            case .value, .list, .map, .leaf: 120
            case .request: 0
            }
        }
    }

    static let maxDepth = 100

    private let bytes: UnsafeRawBufferPointer
    private var left: Int

    static func allowed(for count: Int) -> Int { count * 5 + (1 << 20) }

    /// - Throws: `ProtocolError` if it is too heavy; what is no protobuf at all is left to its reader.
    static func check(_ bytes: UnsafeRawBufferPointer) throws {
        var weight = SpanWeight(bytes: bytes, left: allowed(for: bytes.count))
        try weight.walk(.request, 0..<bytes.count, depth: 0)
    }

    static var tooHeavy: ProtocolError {
        .invalid(
            "The export holds more spans, attributes and events than may be in a body of its size; "
                + "send fewer at a time.")
    }

    private mutating func walk(_ message: Message, _ range: Range<Int>, depth: Int) throws {
        guard depth <= Self.maxDepth else {
            throw ProtocolError.invalid("The export is deeper than \(Self.maxDepth) levels.")
        }
        left -= message.weight
        guard left >= 0 else { throw Self.tooHeavy }
        var offset = range.lowerBound
        while offset < range.upperBound, let tag = number(&offset, range.upperBound) {
            switch tag & 7 {
            case 0: guard number(&offset, range.upperBound) != nil else { return }
            case 1: offset += 8
            case 5: offset += 4
            case 2:
                guard let length = number(&offset, range.upperBound),
                    length <= UInt64(clamping: range.upperBound - offset)
                else { return }
                let end = offset + Int(clamping: length)
                if let child = message.child(tag >> 3) {
                    try walk(child, offset..<end, depth: depth + 1)
                }
                offset = end
            default: break
            }
        }
    }

    /// `nil` where it ends too early or is too long.
    private func number(_ offset: inout Int, _ end: Int) -> UInt64? {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            guard offset < end else { return nil }
            let byte = bytes[offset]
            offset += 1
            value |= UInt64(truncatingIfNeeded: byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        return nil
    }
}
