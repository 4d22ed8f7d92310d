/// Reads the `data` of one tensor: a flat array, or arrays nested as the shape says.
struct TensorDataReader {
    let name: String
    let datatype: Datatype
    let shape: [Int64]
    let place: Int
    let tensors: TensorSet
    /// Whether whatever numpy makes a number of is one.
    var isLoose = false

    func read(_ cursor: inout JSONCursor) throws(InferenceError) {
        switch datatype {
        case .fp32: try numbers(&cursor, of: Float.self)
        case .fp64: try numbers(&cursor, of: Double.self)
        case .fp16: try numbers(&cursor, of: HalfBits.self)
        case .bf16: try numbers(&cursor, of: BrainBits.self)
        case .bool: try numbers(&cursor, of: TruthByte.self)
        case .int8: try numbers(&cursor, of: Int8.self)
        case .int16: try numbers(&cursor, of: Int16.self)
        case .int32: try numbers(&cursor, of: Int32.self)
        case .int64: try numbers(&cursor, of: Int64.self)
        case .uint8: try numbers(&cursor, of: UInt8.self)
        case .uint16: try numbers(&cursor, of: UInt16.self)
        case .uint32: try numbers(&cursor, of: UInt32.self)
        case .uint64: try numbers(&cursor, of: UInt64.self)
        case .bytes: try strings(&cursor)
        }
    }

    /// The number of elements that the shape means, if the rest of the text can hold so many: each
    /// takes at least two bytes, one for the value and one for the comma or bracket.
    private func elementCount(in cursor: JSONCursor) throws(InferenceError) -> Int {
        let limit = (cursor.end - cursor.position) / 2 + 1
        guard let count = TensorShape.elementCount(shape), count <= limit else {
            throw .wrongCount(name: name, count: nil, shape: shape)
        }
        try tensors.checkRoom(count * (datatype == .bytes ? 4 : datatype.elementBytes), name: name)
        return count
    }

    private func numbers<Element: TensorElement>(
        _ cursor: inout JSONCursor, of: Element.Type
    ) throws(InferenceError) {
        let count = try elementCount(in: cursor)
        let stride = MemoryLayout<Element>.stride
        let memory = tensors.append(
            place: place, datatype: datatype, dimensions: shape, elementCount: count,
            byteCount: count * stride)
        let target = memory.bindMemory(to: Element.self, capacity: count)
        try elements(&cursor, count: count) { (cursor, index) throws(InferenceError) in
            let start = cursor.position
            guard let element = try Element.scan(&cursor) else {
                cursor.back(to: start)
                guard isLoose,
                    try CellValue.storeLoosely(
                        &cursor, as: datatype, at: memory + index * stride)
                else { throw .badElement(name: name, index: index, datatype: datatype) }
                return
            }
            target[index] = element
        }
    }

    private func strings(_ cursor: inout JSONCursor) throws(InferenceError) {
        let count = try elementCount(in: cursor)
        let missing = tensors.missingText
        // No string is longer in memory than in the text; `null` is longer than the mark for it.
        let room = count * 4 + cursor.end - cursor.position
        let memory = tensors.append(
            place: place, datatype: .bytes, dimensions: shape, elementCount: count, byteCount: room)
        var used = 0
        try elements(&cursor, count: count) { (cursor, index) throws(InferenceError) in
            guard cursor.peek() == UInt8(ascii: "\"") else {
                if let missing, missing.count <= 4, cursor.takeLiteral("null") {
                    missing.withUnsafeBytes { (memory + used + 4).copyBytes(from: $0) }
                    (memory + used).storeBytes(
                        of: UInt32(truncatingIfNeeded: missing.count).littleEndian, as: UInt32.self)
                    used += 4 + missing.count
                    return
                }
                throw .badElement(name: name, index: index, datatype: datatype)
            }
            let raw = try cursor.rawString()
            let length: Int
            if raw.hasEscapes {
                let bytes = try cursor.unescaped(raw)
                length = bytes.count
                bytes.withUnsafeBytes { (memory + used + 4).copyBytes(from: $0) }
            } else {
                length = raw.bytes.count
                (memory + used + 4).copyBytes(from: raw.bytes)
            }
            (memory + used).storeBytes(
                of: UInt32(truncatingIfNeeded: length).littleEndian, as: UInt32.self)
            used += 4 + length
        }
        tensors.trimLast(byteCount: used)
    }

    @inline(__always)
    private func elements(
        _ cursor: inout JSONCursor, count: Int,
        _ take: (inout JSONCursor, Int) throws(InferenceError) -> Void
    ) throws(InferenceError) {
        if shape.isEmpty, cursor.peek() != UInt8(ascii: "[") { return try take(&cursor, 0) }
        guard try cursor.open(UInt8(ascii: "["), close: UInt8(ascii: "]")) else {
            guard count == 0 else { throw .wrongCount(name: name, count: 0, shape: shape) }
            return
        }
        guard cursor.peek() != UInt8(ascii: "[") else {
            var index = 0
            try nested(&cursor, level: 0, index: &index, take)
            return
        }
        var index = 0
        repeat {
            guard index < count else { throw surplus(&cursor, index) }
            try take(&cursor, index)
            index += 1
        } while try cursor.more(until: UInt8(ascii: "]"))
        guard index == count else { throw .wrongCount(name: name, count: index, shape: shape) }
    }

    /// The members of an array that is open already.
    private func nested(
        _ cursor: inout JSONCursor, level: Int, index: inout Int,
        _ take: (inout JSONCursor, Int) throws(InferenceError) -> Void
    ) throws(InferenceError) {
        let isLast = level == shape.count - 1
        var members: Int64 = 0
        repeat {
            let isNested = cursor.peek() == UInt8(ascii: "[")
            guard level < shape.count, members < shape[level], isNested != isLast else {
                throw ragged(cursor)
            }
            members += 1
            if isLast {
                try take(&cursor, index)
                index += 1
            } else if try cursor.open(UInt8(ascii: "["), close: UInt8(ascii: "]")) {
                try nested(&cursor, level: level + 1, index: &index, take)
            } else if shape[level + 1] != 0 {
                throw ragged(cursor)
            }
        } while try cursor.more(until: UInt8(ascii: "]"))
        guard members == shape[level] else { throw ragged(cursor) }
    }

    private func ragged(_ cursor: JSONCursor) -> InferenceError {
        .ragged(name: name, shape: shape, offset: cursor.position)
    }

    /// Counts to the end, so that the error can say how many there are.
    private func surplus(_ cursor: inout JSONCursor, _ before: Int) -> InferenceError {
        var count = before
        do throws(InferenceError) {
            repeat {
                try cursor.skipValue()
                count += 1
            } while try cursor.more(until: UInt8(ascii: "]"))
        } catch {
            return error
        }
        return .wrongCount(name: name, count: count, shape: shape)
    }
}

enum TensorShape {
    /// The product of the dimensions; `nil` where one is negative or the product is beyond `Int`.
    static func elementCount(_ shape: some Sequence<Int64>) -> Int? {
        var product = 1
        for dimension in shape {
            let (next, overflow) = product.multipliedReportingOverflow(
                by: Int(truncatingIfNeeded: dimension))
            guard dimension >= 0, !overflow else { return nil }
            product = next
        }
        return product
    }

    /// Whether a tensor of this shape is what the model takes.
    static func matches(_ shape: [Int64], _ expected: [Int]?) -> Bool {
        guard let expected else { return true }
        guard shape.count == expected.count else { return false }
        for (given, wanted) in zip(shape, expected)
        where wanted >= 0 && given != Int64(clamping: wanted) {
            return false
        }
        return true
    }
}
