/// Writes one value of a table as one element of a tensor. Each returns false where the value is none of
/// that type.
enum CellValue {
    // MARK: JSON

    /// Takes the value that follows.
    ///
    /// - Parameter kind: what the model's signature says that the column is, where it is run with
    ///   another datatype.
    @inline(__always)
    static func store(
        _ cursor: inout JSONCursor, as datatype: Datatype, kind: Datatype? = nil,
        at target: UnsafeMutableRawPointer
    ) throws(InferenceError) -> Bool {
        guard let kind else { return try store(&cursor, plain: datatype, at: target) }
        guard let number = try said(&cursor, kind) else { return false }
        return put(number, as: datatype, target)
    }

    private static func store(
        _ cursor: inout JSONCursor, plain datatype: Datatype, at target: UnsafeMutableRawPointer
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

    /// A value of a column of truth values or whole numbers, as a real number: as pandas makes them of
    /// JSON, fractions are cut and every number but 0 is true.
    private static func said(
        _ cursor: inout JSONCursor, _ kind: Datatype
    ) throws(InferenceError) -> Double? {
        if kind == .bool { return try isTrue(&cursor) ? 1 : 0 }
        guard let whole = try whole(&cursor) else { return nil }
        return fits(whole, kind) ? Double(whole.magnitude) * (whole.isNegative ? -1 : 1) : nil
    }

    /// What Python takes for true.
    private static func isTrue(_ cursor: inout JSONCursor) throws(InferenceError) -> Bool {
        var probe = cursor
        let isFilled: Bool
        switch probe.peek() {
        case UInt8(ascii: "["):
            isFilled = try probe.open(UInt8(ascii: "["), close: UInt8(ascii: "]"))
        case UInt8(ascii: "{"):
            isFilled = try probe.open(UInt8(ascii: "{"), close: UInt8(ascii: "}"))
        case UInt8(ascii: "\""): isFilled = try !probe.rawString().bytes.isEmpty
        case UInt8(ascii: "n"): isFilled = false
        default: return try real(&cursor).map { $0 != 0 } ?? false
        }
        try cursor.skipValue()
        return isFilled
    }

    private static func real(_ cursor: inout JSONCursor) throws(InferenceError) -> Double? {
        switch cursor.peek() {
        case UInt8(ascii: "\""): return try text(&cursor) { PythonNumbers.real($0) }
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
        case UInt8(ascii: "\""): return try text(&cursor) { PythonNumbers.whole($0) }
        case UInt8(ascii: "n"), UInt8(ascii: "N"), UInt8(ascii: "I"):
            try cursor.skipValue()
            return nil
        case UInt8(ascii: "t"), UInt8(ascii: "f"):
            return (false, try cursor.boolean() ? 1 : 0)
        case UInt8(ascii: "["), UInt8(ascii: "{"): throw noCell(cursor)
        default:
            let start = cursor
            if let whole = try cursor.wholeNumber() { return whole }
            // As numpy makes whole numbers of fractions.
            cursor = start
            let number = try cursor.number().rounded(.towardZero)
            return UInt64(exactly: number.magnitude).map { (number < 0, $0) }
        }
    }

    private static func text<Value>(
        _ cursor: inout JSONCursor, _ parse: (UnsafeRawBufferPointer) -> Value?
    ) throws(InferenceError) -> Value? {
        let raw = try cursor.rawString()
        guard raw.hasEscapes else { return parse(raw.bytes) }
        return try cursor.unescaped(raw).withUnsafeBytes(parse)
    }

    /// Tensors of MLflow scoring take what numpy makes numbers of: texts, truth values and fractions too.
    static func storeLoosely(
        _ cursor: inout JSONCursor, as datatype: Datatype, at target: UnsafeMutableRawPointer
    ) throws(InferenceError) -> Bool {
        try store(&cursor, as: datatype, kind: datatype == .bool ? .bool : nil, at: target)
    }

    // MARK: CSV

    /// - Parameters:
    ///   - field: without quotes.
    ///   - kind: as of JSON; of CSV pandas takes no fraction for a whole number.
    static func store(
        _ field: UnsafeRawBufferPointer, as datatype: Datatype, kind: Datatype? = nil,
        at target: UnsafeMutableRawPointer
    ) -> Bool {
        if let kind {
            guard let whole = whole(field), fits(whole, kind) else { return false }
            let number = Double(whole.magnitude) * (whole.isNegative ? -1 : 1)
            return put(number, as: datatype, target)
        }
        switch datatype {
        case .fp32: return put(real(field).map { Float($0) }, target)
        case .fp64: return put(real(field), target)
        case .fp16: return put(real(field).map { Float16($0).bitPattern }, target)
        case .bf16: return put(real(field).map { BrainBits($0).bits }, target)
        case .bytes: return false
        case .bool, .int8, .int16, .int32, .int64, .uint8, .uint16, .uint32, .uint64:
            return put(whole: whole(field), as: datatype, target)
        }
    }

    private static func real(_ field: UnsafeRawBufferPointer) -> Double? {
        if let number = PythonNumbers.real(field, joined: false) { return number }
        if CSVWords.isMissing(field) { return .nan }
        // No word is so long.
        guard field.count <= 64 else { return nil }
        let text = String(decoding: CSVWords.withoutBlanks(around: field), as: UTF8.self)
        switch text.lowercased() {
        case "", "na", "null", "none": return .nan
        case "true": return 1
        case "false": return 0
        default: return nil
        }
    }

    private static func whole(_ field: UnsafeRawBufferPointer) -> Whole? {
        if let whole = PythonNumbers.whole(field, joined: false) { return whole }
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
        _ number: Double, as datatype: Datatype, _ target: UnsafeMutableRawPointer
    ) -> Bool {
        switch datatype {
        case .fp32: put(Float(number), target)
        case .fp64: put(number, target)
        case .fp16: put(Float16(number).bitPattern, target)
        case .bf16: put(BrainBits(number).bits, target)
        case .bytes: false
        case .bool, .int8, .int16, .int32, .int64, .uint8, .uint16, .uint32, .uint64:
            put(
                whole: UInt64(exactly: number.magnitude).map { (number < 0, $0) }, as: datatype,
                target)
        }
    }

    private static func fits(_ whole: Whole, _ kind: Datatype) -> Bool {
        var room: UInt64 = 0
        return withUnsafeMutableBytes(of: &room) { memory in
            memory.baseAddress.map { put(whole: whole, as: kind, $0) } ?? false
        }
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
