import AloftInference
import AloftWire

/// Finds a request's segment in its body, before it is known which model's inputs it holds. What
/// cannot be read has no segment: the model's own reader says what is wrong with it.
struct SegmentKeyReader {
    private let name: [UInt8]
    private let isParameter: Bool

    /// - Parameters:
    ///   - source: `parameter` or `field`.
    ///   - jsonLength: of the body's JSON, where it is not all of it.
    static func read(
        _ body: UnsafeRawBufferPointer, jsonLength: Int?, source: String, name: String
    ) -> String? {
        let length = min(max(0, jsonLength ?? body.count), body.count)
        let bytes = UnsafeRawBufferPointer(rebasing: body[..<length])
        let reader = Self(name: Array(name.utf8), isParameter: source == "parameter")
        var cursor = JSONCursor(bytes)
        return try? reader.body(&cursor)
    }

    private func body(_ cursor: inout JSONCursor) throws(InferenceError) -> String? {
        var found: String?
        try object(&cursor) { (cursor, key) throws(InferenceError) in
            switch String(decoding: key.bytes, as: UTF8.self) {
            case "parameters" where isParameter: found = try member(&cursor) ?? found
            case "inputs" where !isParameter:
                if cursor.peek() == UInt8(ascii: "{") {
                    found = try member(&cursor) ?? found
                } else {
                    found = try tensors(&cursor) ?? found
                }
            case "instances" where !isParameter, "dataframe_records" where !isParameter:
                found = try firstRecord(&cursor) ?? found
            case "dataframe_split" where !isParameter: found = try table(&cursor) ?? found
            default: try cursor.skipValue()
            }
        }
        return found
    }

    /// The value of the member of this name, the first of it where it is a list.
    private func member(_ cursor: inout JSONCursor) throws(InferenceError) -> String? {
        var found: String?
        try object(&cursor) { (cursor, key) throws(InferenceError) in
            if key.bytes.elementsEqual(name) {
                found = try first(&cursor)
            } else {
                try cursor.skipValue()
            }
        }
        return found
    }

    /// Tensors as the Open Inference Protocol writes them: `[{"name": …, "data": […]}, …]`.
    private func tensors(_ cursor: inout JSONCursor) throws(InferenceError) -> String? {
        var found: String?
        try array(&cursor) { (cursor) throws(InferenceError) in
            var isWanted = false
            var data: String?
            guard cursor.peek() == UInt8(ascii: "{") else { return try cursor.skipValue() }
            try object(&cursor) { (cursor, key) throws(InferenceError) in
                switch String(decoding: key.bytes, as: UTF8.self) {
                case "name": isWanted = try cursor.rawString().bytes.elementsEqual(name)
                case "data": data = try first(&cursor)
                default: try cursor.skipValue()
                }
            }
            if isWanted { found = data }
        }
        return found
    }

    /// `[{"city": …}, …]`.
    private func firstRecord(_ cursor: inout JSONCursor) throws(InferenceError) -> String? {
        var found: String?
        var isFirst = true
        try array(&cursor) { (cursor) throws(InferenceError) in
            guard isFirst, cursor.peek() == UInt8(ascii: "{") else {
                return try cursor.skipValue()
            }
            isFirst = false
            found = try member(&cursor)
        }
        return found
    }

    /// `{"columns": […], "data": [[…], …]}`, in either order. Nothing is kept of the table but where its
    /// first row is.
    private func table(_ cursor: inout JSONCursor) throws(InferenceError) -> String? {
        var place: Int?
        var firstRow: JSONCursor?
        try object(&cursor) { (cursor, key) throws(InferenceError) in
            switch String(decoding: key.bytes, as: UTF8.self) {
            case "columns":
                var count = 0
                try array(&cursor) { (cursor) throws(InferenceError) in
                    if try cursor.rawString().bytes.elementsEqual(name) { place = count }
                    count += 1
                }
            case "data":
                try array(&cursor) { (cursor) throws(InferenceError) in
                    if firstRow == nil { firstRow = cursor }
                    try cursor.skipValue()
                }
            default: try cursor.skipValue()
            }
        }
        guard let place, var row = firstRow else { return nil }
        var found: String?
        var count = 0
        try array(&row) { (cursor) throws(InferenceError) in
            if count == place { found = try first(&cursor) } else { try cursor.skipValue() }
            count += 1
        }
        return found
    }

    /// A text, number or truth value as it is written, or the first of a list; `nil` for others.
    private func first(
        _ cursor: inout JSONCursor, depth: Int = 0
    ) throws(InferenceError) -> String? {
        switch cursor.peek() {
        case UInt8(ascii: "\""): return try cursor.string()
        case UInt8(ascii: "["):
            guard depth < 16 else { throw cursor.fault("fewer brackets") }
            var found: String?
            var isFirst = true
            try array(&cursor) { (cursor) throws(InferenceError) in
                guard isFirst else { return try cursor.skipValue() }
                isFirst = false
                found = try first(&cursor, depth: depth + 1)
            }
            return found
        case UInt8(ascii: "{"), UInt8(ascii: "n"):
            try cursor.skipValue()
            return nil
        default:
            let start = cursor.position
            try cursor.skipValue()
            return String(
                decoding: cursor.slice(from: start, to: cursor.position), as: UTF8.self)
        }
    }

    private func object(
        _ cursor: inout JSONCursor,
        _ member: (inout JSONCursor, JSONCursor.RawString) throws(InferenceError) -> Void
    ) throws(InferenceError) {
        guard try cursor.open(UInt8(ascii: "{"), close: UInt8(ascii: "}")) else { return }
        repeat {
            let key = try cursor.key()
            try member(&cursor, key)
        } while try cursor.more(until: UInt8(ascii: "}"))
    }

    private func array(
        _ cursor: inout JSONCursor,
        _ element: (inout JSONCursor) throws(InferenceError) -> Void
    ) throws(InferenceError) {
        guard try cursor.open(UInt8(ascii: "["), close: UInt8(ascii: "]")) else { return }
        repeat { try element(&cursor) } while try cursor.more(until: UInt8(ascii: "]"))
    }
}
