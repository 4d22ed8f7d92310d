import AloftPredictionLog

extension InferMessageReader {
    /// An entry of a map of parameters, as it lies in the message.
    struct ParameterEntry {
        var key = UnsafeRawBufferPointer(start: nil, count: 0)
        var value: ProtobufSlice?

        /// Bytes that are no UTF-8 become U+FFFD.
        var name: String { String(decoding: key, as: UTF8.self) }
    }

    static func readEntry(_ entry: ProtobufSlice) throws(InferenceError) -> ParameterEntry {
        var cursor = ProtobufCursor(entry)
        var result = ParameterEntry()
        while let (field, wire) = try cursor.next() {
            switch (field, wire) {
            case (1, .bytes): result.key = try cursor.slice().bytes
            case (2, .bytes): result.value = try cursor.slice()
            default: try cursor.skip(wire)
            }
        }
        return result
    }

    /// Puts the parameters into the request as JSON, as they would have come over REST.
    func takeParameters(_ message: UnsafeRawBufferPointer) throws(InferenceError) {
        var text: [UInt8] = []
        // A character takes at most six, and what surrounds an entry is no longer.
        text.reserveCapacity(6 * parameterBytes)
        var cursor = ProtobufCursor(message)
        while let (field, wire) = try cursor.next() {
            guard field == 4, wire == .bytes else {
                try cursor.skip(wire)
                continue
            }
            let entry = try Self.readEntry(try cursor.slice())
            guard let value = entry.value else { continue }
            let start = text.count
            text.append(text.isEmpty ? UInt8(ascii: "{") : UInt8(ascii: ","))
            JSONText.append(entry.key, to: &text)
            text.append(UInt8(ascii: ":"))
            // traps: what was appended since
            if try !parameter(entry, value, &text) { text.removeLast(text.count - start) }
        }
        if !text.isEmpty {
            text.append(UInt8(ascii: "}"))
            request.parameters = text
        }
    }

    /// Writes the last of an entry's values; false where it has none.
    private func parameter(
        _ entry: ParameterEntry, _ value: ProtobufSlice, _ text: inout [UInt8]
    ) throws(InferenceError) -> Bool {
        let isTimeout = BytesEqual.equal(entry.key, "timeout")
        let start = text.count
        var cursor = ProtobufCursor(value)
        while let (field, wire) = try cursor.next() {
            guard (1...5).contains(field) else {
                try cursor.skip(wire)
                continue
            }
            // traps: what was appended since
            text.removeLast(text.count - start)
            switch (field, wire) {
            case (1, .varint): text += Array((try cursor.varint() != 0 ? "true" : "false").utf8)
            case (2, .varint):
                let whole = Int64(bitPattern: try cursor.varint())
                if isTimeout { request.timeoutMicroseconds = max(0, Int(clamping: whole)) }
                text += Array("\(whole)".utf8)
            case (3, .bytes): JSONText.append(try cursor.slice().bytes, to: &text)
            case (4, .fixed64):
                let number = Double(bitPattern: try cursor.fixed(UInt64.self))
                text += Array((number.isFinite ? number.description : "null").utf8)
            case (5, .varint):
                let whole = try cursor.varint()
                if isTimeout { request.timeoutMicroseconds = Int(clamping: whole) }
                text += Array("\(whole)".utf8)
            default: try cursor.skip(wire)
            }
        }
        return text.count > start
    }
}
