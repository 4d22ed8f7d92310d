/// Writes one value of a table as one element of a tensor. Each returns false where the value is none of
/// that type.
enum CellValue {
    // MARK: JSON

    /// Takes the value that follows.
    static func store(
        _ cursor: inout JSONCursor, as datatype: Datatype, at target: UnsafeMutableRawPointer
    ) throws(InferenceError) -> Bool {
        switch datatype {
        case .fp32: put(try real(&cursor).map { Float($0) }, target)
        case .fp64: put(try real(&cursor), target)
        case .fp16: put(try real(&cursor).map { Float16($0).bitPattern }, target)
        case .bf16: put(try real(&cursor).map { BrainBits($0).bits }, target)
        case .bytes: false
        case .bool, .int8, .int16, .int32, .int64, .uint8, .uint16, .uint32, .uint64:
            put(whole: try whole(&cursor), as: datatype, target)
        }
    }

    /// Steps over a string, number, truth value or null.
    static func skip(_ cursor: inout JSONCursor) throws(InferenceError) {
        switch cursor.peek() {
        case UInt8(ascii: "["), UInt8(ascii: "{"): throw noCell(cursor)
        default: try cursor.skipValue()
        }
    }

    private static func noCell(_ cursor: JSONCursor) -> InferenceError {
        cursor.fault("a number, a string, true, false or null")
    }

    private static func real(_ cursor: inout JSONCursor) throws(InferenceError) -> Double? {
        switch cursor.peek() {
        case UInt8(ascii: "\""):
            _ = try cursor.rawString()
            return nil
        case UInt8(ascii: "t"), UInt8(ascii: "f"): return try cursor.boolean() ? 1 : 0
        case UInt8(ascii: "n"):
            try cursor.literal("null")
            return .nan
        case UInt8(ascii: "["), UInt8(ascii: "{"): throw noCell(cursor)
        default: return try cursor.number()
        }
    }

    /// A whole number: its sign and magnitude.
    private typealias Whole = (isNegative: Bool, magnitude: UInt64)

    private static func whole(_ cursor: inout JSONCursor) throws(InferenceError) -> Whole? {
        switch cursor.peek() {
        case UInt8(ascii: "\""), UInt8(ascii: "n"), UInt8(ascii: "N"), UInt8(ascii: "I"):
            try cursor.skipValue()
            return nil
        case UInt8(ascii: "t"), UInt8(ascii: "f"):
            return (false, try cursor.boolean() ? 1 : 0)
        case UInt8(ascii: "["), UInt8(ascii: "{"): throw noCell(cursor)
        default: return try cursor.wholeNumber()
        }
    }

    // MARK: CSV

    /// - Parameter field: without quotes.
    static func store(
        _ field: UnsafeRawBufferPointer, as datatype: Datatype, at target: UnsafeMutableRawPointer
    ) -> Bool {
        switch datatype {
        case .fp32: put(real(field).map { Float($0) }, target)
        case .fp64: put(real(field), target)
        case .fp16: put(real(field).map { Float16($0).bitPattern }, target)
        case .bf16: put(real(field).map { BrainBits($0).bits }, target)
        case .bytes: false
        case .bool, .int8, .int16, .int32, .int64, .uint8, .uint16, .uint32, .uint64:
            put(whole: whole(field), as: datatype, target)
        }
    }

    private static func real(_ field: UnsafeRawBufferPointer) -> Double? {
        // No number is written so long, and no word either.
        guard field.count <= 4096 else { return nil }
        let text = String(decoding: CSVWords.withoutBlanks(around: field), as: UTF8.self)
        if let number = Double(text) { return number }
        if CSVWords.isMissing(field) { return .nan }
        switch text.lowercased() {
        case "", "na", "null", "none": return .nan
        case "true": return 1
        case "false": return 0
        default: return nil
        }
    }

    private static func whole(_ field: UnsafeRawBufferPointer) -> Whole? {
        guard field.count <= 4096 else { return nil }
        let text = String(decoding: CSVWords.withoutBlanks(around: field), as: UTF8.self)
        if let whole = Int64(text) { return (whole < 0, whole.magnitude) }
        if let whole = UInt64(text) { return (false, whole) }
        guard let number = real(field), let magnitude = UInt64(exactly: number.magnitude) else {
            return nil
        }
        return (number < 0, magnitude)
    }

    // MARK: Neither

    /// A value that is not there.
    static func storeMissing(
        as datatype: Datatype, at target: UnsafeMutableRawPointer
    ) -> Bool {
        switch datatype {
        case .fp32: put(Float.nan, target)
        case .fp64: put(Double.nan, target)
        case .fp16: put(Float16.nan.bitPattern, target)
        case .bf16: put(BrainBits(.nan).bits, target)
        case .bytes, .bool, .int8, .int16, .int32, .int64, .uint8, .uint16, .uint32, .uint64:
            false
        }
    }

    @inline(__always)
    private static func put<Element: BitwiseCopyable>(
        _ element: Element?, _ target: UnsafeMutableRawPointer
    ) -> Bool {
        guard let element else { return false }
        target.storeBytes(of: element, as: Element.self)
        return true
    }

    private static func put(
        whole: Whole?, as datatype: Datatype, _ target: UnsafeMutableRawPointer
    ) -> Bool {
        guard let whole else { return false }
        func integer<Element: FixedWidthInteger>(_: Element.Type) -> Element? {
            guard whole.isNegative else { return Element(exactly: whole.magnitude) }
            // The magnitude may be one more than that of the largest positive value.
            guard whole.magnitude <= 1 << 63 else { return nil }
            return Element(exactly: Int64(truncatingIfNeeded: 0 &- whole.magnitude))
        }
        switch datatype {
        case .bool: return put(integer(UInt8.self).flatMap { $0 <= 1 ? $0 : nil }, target)
        case .int8: return put(integer(Int8.self), target)
        case .int16: return put(integer(Int16.self), target)
        case .int32: return put(integer(Int32.self), target)
        case .int64: return put(integer(Int64.self), target)
        case .uint8: return put(integer(UInt8.self), target)
        case .uint16: return put(integer(UInt16.self), target)
        case .uint32: return put(integer(UInt32.self), target)
        case .uint64: return put(integer(UInt64.self), target)
        case .fp16, .bf16, .fp32, .fp64, .bytes: return false
        }
    }
}
