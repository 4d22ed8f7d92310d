/// An element of a tensor that JSON writes as a number or a truth value.
protocol TensorElement {
    /// The next element; `nil` where the value is another kind of thing or does not fit.
    static func scan(_ cursor: inout JSONCursor) throws(InferenceError) -> Self?
}

extension JSONCursor {
    /// Whether a number begins here.
    @inline(__always)
    fileprivate mutating func isAtNumber() -> Bool {
        let byte = peek()
        return byte &- 48 < 10 || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "N")
            || byte == UInt8(ascii: "I")
    }

    /// Steps over `null`, as which NaN is written (RFC 8259 has no word for it): a missing value.
    fileprivate mutating func takeMissing() -> Bool { takeLiteral("null") }
}

extension Float: TensorElement {
    @inline(__always)
    static func scan(_ cursor: inout JSONCursor) throws(InferenceError) -> Float? {
        guard cursor.isAtNumber() else { return cursor.takeMissing() ? .nan : nil }
        // By way of a double, as numpy makes float32 from a list of Python's numbers.
        return Float(try cursor.number())
    }
}

extension Double: TensorElement {
    @inline(__always)
    static func scan(_ cursor: inout JSONCursor) throws(InferenceError) -> Double? {
        guard cursor.isAtNumber() else { return cursor.takeMissing() ? .nan : nil }
        return try cursor.number()
    }
}

/// A 16-bit float as its bits, since not every platform has the type.
struct HalfBits: TensorElement {
    let bits: UInt16

    static func scan(_ cursor: inout JSONCursor) throws(InferenceError) -> HalfBits? {
        guard cursor.isAtNumber() else {
            return cursor.takeMissing() ? HalfBits(bits: Float16.nan.bitPattern) : nil
        }
        return HalfBits(bits: Float16(try cursor.number()).bitPattern)
    }
}

/// A bfloat16, the upper half of a 32-bit float, as its bits.
struct BrainBits: TensorElement {
    let bits: UInt16

    /// The nearest value, the even one where two are as near.
    init(_ value: Double) {
        let whole = Float(value).bitPattern
        let rounded = UInt16(truncatingIfNeeded: (whole &+ 0x7FFF &+ ((whole >> 16) & 1)) >> 16)
        bits = value.isNaN ? 0x7FC0 : rounded
    }

    static func float(_ bits: UInt16) -> Float {
        Float(bitPattern: UInt32(truncatingIfNeeded: bits) << 16)
    }

    static func scan(_ cursor: inout JSONCursor) throws(InferenceError) -> BrainBits? {
        guard cursor.isAtNumber() else { return cursor.takeMissing() ? BrainBits(.nan) : nil }
        return BrainBits(try cursor.number())
    }
}

/// One byte, 0 or 1.
struct TruthByte: TensorElement {
    let byte: UInt8

    static func scan(_ cursor: inout JSONCursor) throws(InferenceError) -> TruthByte? {
        if cursor.takeLiteral("true") { return TruthByte(byte: 1) }
        if cursor.takeLiteral("false") { return TruthByte(byte: 0) }
        guard cursor.isAtNumber(), let whole = try cursor.wholeNumber(), whole.magnitude <= 1 else {
            return nil
        }
        return TruthByte(byte: UInt8(truncatingIfNeeded: whole.magnitude))
    }
}

extension TensorElement where Self: FixedWidthInteger {
    @inline(__always)
    static func scan(_ cursor: inout JSONCursor) throws(InferenceError) -> Self? {
        let byte = cursor.peek()
        guard byte &- 48 < 10 || byte == UInt8(ascii: "-"), let whole = try cursor.wholeNumber()
        else { return nil }
        guard whole.isNegative else { return Self(exactly: whole.magnitude) }
        // Negative: the magnitude may be one more than that of the largest positive value.
        guard whole.magnitude <= 1 << 63 else { return nil }
        return Self(exactly: Int64(truncatingIfNeeded: 0 &- whole.magnitude))
    }
}

extension Int8: TensorElement {}
extension Int16: TensorElement {}
extension Int32: TensorElement {}
extension Int64: TensorElement {}
extension UInt8: TensorElement {}
extension UInt16: TensorElement {}
extension UInt32: TensorElement {}
extension UInt64: TensorElement {}
