import AloftDomain
import AloftInference

extension AnswerNumbers {
    /// What the text says that a Python model answered to MLflow scoring: numbers and classes of `predictions`,
    /// row by row. Nothing where it is no such text.
    init(document: [UInt8]) {
        var reader = DocumentReader()
        document.withUnsafeBytes { bytes in
            var cursor = JSONCursor(bytes)
            // What was read until a fault is as good as any.
            try? reader.answer(&cursor)
        }
        // Whole numbers are classes, and numbers where there are no others.
        values = reader.reals.isEmpty ? reader.wholes : reader.reals
        labels = reader.texts.isEmpty ? reader.wholes : reader.texts
        areTexts = !reader.texts.isEmpty
        width = max(1, reader.reals.isEmpty ? reader.firstWholes : reader.firstReals)
        form =
            reader.reals.isEmpty
            ? (reader.wholes.isEmpty ? .texts : .labels) : (width == 1 ? .number : .row)
    }
}

private struct DocumentReader {
    var reals: [Double] = []
    var wholes: [Double] = []
    var texts: [Double] = []
    /// How many of each the first row has.
    var firstReals = 0
    var firstWholes = 0

    private static let deepest = 8

    private var isFull: Bool {
        reals.count + wholes.count + texts.count >= AnswerNumbers.limit
    }

    mutating func answer(_ cursor: inout JSONCursor) throws(InferenceError) {
        guard cursor.peek() == UInt8(ascii: "{") else { return try rows(&cursor) }
        var probe = cursor
        guard try probe.open(UInt8(ascii: "{"), close: UInt8(ascii: "}")) else { return }
        let key = try probe.key()
        guard String(decoding: key.bytes.prefix(20), as: UTF8.self) == "predictions" else {
            return try rows(&cursor)
        }
        try rows(&probe)
    }

    private mutating func rows(_ cursor: inout JSONCursor) throws(InferenceError) {
        guard cursor.peek() == UInt8(ascii: "[") else { return try value(&cursor, depth: 0) }
        guard try cursor.open(UInt8(ascii: "["), close: UInt8(ascii: "]")) else { return }
        var isFirst = true
        repeat {
            try value(&cursor, depth: 0)
            if isFirst { (firstReals, firstWholes, isFirst) = (reals.count, wholes.count, false) }
            if isFull { return }
        } while try cursor.more(until: UInt8(ascii: "]"))
    }

    private mutating func value(
        _ cursor: inout JSONCursor, depth: Int
    ) throws(InferenceError) {
        guard depth < Self.deepest, !isFull else { return try cursor.skipValue() }
        switch cursor.peek() {
        case UInt8(ascii: "["):
            guard try cursor.open(UInt8(ascii: "["), close: UInt8(ascii: "]")) else { return }
            repeat {
                try value(&cursor, depth: depth + 1)
            } while try cursor.more(until: UInt8(ascii: "]"))
        case UInt8(ascii: "{"):
            guard try cursor.open(UInt8(ascii: "{"), close: UInt8(ascii: "}")) else { return }
            repeat {
                _ = try cursor.key()
                try value(&cursor, depth: depth + 1)
            } while try cursor.more(until: UInt8(ascii: "}"))
        case UInt8(ascii: "\""):
            let raw = try cursor.rawString()
            texts.append(
                raw.hasEscapes
                    ? try cursor.unescaped(raw).withUnsafeBytes(Self.hash) : Self.hash(raw.bytes))
        case UInt8(ascii: "t"), UInt8(ascii: "f"): wholes.append(try cursor.boolean() ? 1 : 0)
        case UInt8(ascii: "n"):
            try cursor.literal("null")
            reals.append(.nan)
        default: try number(&cursor)
        }
    }

    private mutating func number(_ cursor: inout JSONCursor) throws(InferenceError) {
        let start = cursor.position
        let number = try cursor.number()
        let text = cursor.slice(from: start, to: cursor.position)
        let isWhole = text.allSatisfy {
            $0 == UInt8(ascii: "-") || ($0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9"))
        }
        if isWhole { wholes.append(number) } else { reals.append(number) }
    }

    /// Texts are told apart as those of tensors are.
    private static func hash(_ text: UnsafeRawBufferPointer) -> Double {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in text { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return Double(hash >> 11)
    }
}
