#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A number as written: `digits · 10^exponent`.
struct DecimalNumber {
    var isNegative = false
    /// The first nineteen significant digits.
    var digits: UInt64 = 0
    var exponent = 0
    /// Whether digits other than 0 came after those.
    var isTruncated = false
    /// Whether it was written without fraction and exponent.
    var isWhole = true
}

extension JSONCursor {
    /// The nearest double to the number that follows, as `strtod` gives it; too large a number is
    /// infinite.
    package mutating func number() throws(InferenceError) -> Double {
        let first = peek()
        if let plain = plainNumber() { return plain }
        let start = position
        if first > UInt8(ascii: "9") || first == UInt8(ascii: "-") {
            if let special = specialNumber() { return special }
        }
        let decimal = try decimal()
        let magnitude =
            decimal.isTruncated
            ? slowDouble(from: start)
            : Self.double(decimal.digits, exponent: decimal.exponent) ?? slowDouble(from: start)
        return decimal.isNegative ? -magnitude : magnitude
    }

    /// The whole number that follows, or `nil` where it is none or out of range: `1`, `-3`, `2.0`.
    package mutating func wholeNumber() throws(InferenceError) -> (
        isNegative: Bool, magnitude: UInt64
    )? {
        let start = position
        let decimal = try decimal()
        if decimal.exponent == 0, !decimal.isTruncated {
            return (decimal.isNegative, decimal.digits)
        }
        if decimal.isWhole {
            // Twenty digits: only the largest UINT64 values have so many.
            let text = slice(from: start, to: position)
            let digits = text.drop { $0 <= 0x20 || $0 == UInt8(ascii: "-") }
            // traps: a text is parsed, to nil where it is no number
            let magnitude = UInt64(String(decoding: digits, as: UTF8.self))
            return magnitude.map { (decimal.isNegative, $0) }
        }
        let value =
            decimal.isTruncated
            ? slowDouble(from: start)
            : Self.double(decimal.digits, exponent: decimal.exponent) ?? slowDouble(from: start)
        return UInt64(exactly: value).map { (decimal.isNegative, $0) }
    }

    private mutating func specialNumber() -> Double? {
        if takeLiteral("NaN") { return .nan }
        if takeLiteral("Infinity") { return .infinity }
        return takeLiteral("-Infinity") ? -.infinity : nil
    }

    /// Reads digits, point and exponent (RFC 8259, section 6).
    private mutating func decimal() throws(InferenceError) -> DecimalNumber {
        var number = DecimalNumber()
        _ = peek()
        var at = position
        if at < end, base[at] == UInt8(ascii: "-") {
            number.isNegative = true
            at += 1
        }
        let whole = at
        while at < end {
            let digit = base[at] &- 48
            guard digit < 10 else { break }
            Self.add(digit, to: &number, isFraction: false)
            at += 1
        }
        let isPadded = at - whole > 1 && base[whole] == UInt8(ascii: "0")
        guard at > whole, !isPadded else {
            throw fault("a number")
        }
        if at < end, base[at] == UInt8(ascii: ".") {
            number.isWhole = false
            at += 1
            let fraction = at
            while at < end {
                let digit = base[at] &- 48
                guard digit < 10 else { break }
                Self.add(digit, to: &number, isFraction: true)
                at += 1
            }
            guard at > fraction else { throw fault("a digit after the point of a number") }
        }
        if at < end, base[at] | 0x20 == UInt8(ascii: "e") {
            number.isWhole = false
            number.exponent += try exponent(&at)
        }
        advance(to: at)
        return number
    }

    @inline(__always)
    private static func add(_ digit: UInt8, to number: inout DecimalNumber, isFraction: Bool) {
        // 19 digits always fit 64 bits.
        if number.digits < 1_000_000_000_000_000_000 {
            number.digits = number.digits &* 10 &+ UInt64(digit)
            if isFraction { number.exponent &-= 1 }
        } else {
            number.isTruncated = number.isTruncated || digit != 0
            if !isFraction { number.exponent &+= 1 }
        }
    }

    private func exponent(_ at: inout Int) throws(InferenceError) -> Int {
        at += 1
        var isNegative = false
        if at < end, base[at] == UInt8(ascii: "-") || base[at] == UInt8(ascii: "+") {
            isNegative = base[at] == UInt8(ascii: "-")
            at += 1
        }
        let start = at
        var value = 0
        while at < end {
            let digit = base[at] &- 48
            guard digit < 10 else { break }
            // Larger ones mean 0 or infinity anyway.
            value = min(value * 10 + Int(digit), 100_000)
            at += 1
        }
        guard at > start else { throw fault("a digit in the exponent of a number") }
        return isNegative ? -value : value
    }

    /// The magnitude of the number from `start` to here, by the C library.
    private func slowDouble(from start: Int) -> Double {
        var text = slice(from: start, to: position)
            .drop { $0 <= 0x20 || $0 == UInt8(ascii: "-") }
            .map { CChar(bitPattern: $0) }
        text.append(0)
        // The program never calls setlocale, so the point is a point.
        return strtod(text, nil)
    }
}

// MARK: From decimal to binary

extension JSONCursor {
    /// The nearest double to `digits · 10^exponent`, ties to even; `nil` where the exponent is beyond
    /// ±27, which the caller leaves to the C library.
    ///
    /// Up to 2^53 and 10^22 both factors are exact, and one operation of the processor rounds once
    /// (Clinger, "How to read floating point numbers accurately", PLDI 1990). Beyond, 5^27 still fits
    /// 64 bits: the product or quotient is formed exactly in integers and rounded once.
    static func double(_ digits: UInt64, exponent: Int) -> Double? {
        guard digits != 0 else { return 0 }
        if digits <= 1 << 53, exponent >= -22, exponent <= 22 {
            return exponent < 0
                ? Double(digits) / exactPower(-exponent) : Double(digits) * exactPower(exponent)
        }
        guard exponent >= -27, exponent <= 27 else { return nil }
        return exponent >= 0
            ? product(digits, exponent: exponent) : quotient(digits, exponent: -exponent)
    }

    private static func product(_ digits: UInt64, exponent: Int) -> Double {
        let (high, low) = digits.multipliedFullWidth(by: powerOfFive(exponent))
        guard high != 0 else {
            let shift = low.leadingZeroBitCount
            return rounded(
                low << UInt64(truncatingIfNeeded: shift), rest: false, exponent: exponent - shift)
        }
        let shift = high.leadingZeroBitCount
        let top =
            shift == 0
            ? high
            : high << UInt64(truncatingIfNeeded: shift) | low
                >> UInt64(truncatingIfNeeded: 64 - shift)
        let rest = low << UInt64(truncatingIfNeeded: shift)
        return rounded(top, rest: rest != 0, exponent: exponent + 64 - shift)
    }

    private static func quotient(_ digits: UInt64, exponent: Int) -> Double {
        let power = powerOfFive(exponent)
        let digitShift = digits.leadingZeroBitCount
        let powerShift = power.leadingZeroBitCount
        let dividend = digits << UInt64(truncatingIfNeeded: digitShift)
        let divisor = power << UInt64(truncatingIfNeeded: powerShift)
        // Half the dividend is always below the divisor, so the quotient fits 64 bits.
        let (quotient, remainder) = divisor.dividingFullWidth((dividend >> 1, dividend << 63))
        let shift = quotient.leadingZeroBitCount
        return rounded(
            quotient << UInt64(truncatingIfNeeded: shift), rest: remainder != 0,
            exponent: powerShift - digitShift - 63 - shift - exponent)
    }

    /// `top · 2^exponent`, where the highest bit of `top` is set and `rest` says that something came
    /// after its last bit. The result is far from the ends of the range of doubles.
    private static func rounded(_ top: UInt64, rest: Bool, exponent: Int) -> Double {
        let tail = top & 0x7FF
        var significand = top >> 11
        if tail > 0x400 || (tail == 0x400 && (rest || significand & 1 == 1)) { significand += 1 }
        let scale = Double(bitPattern: UInt64(truncatingIfNeeded: 1023 + exponent + 11) << 52)
        return Double(significand) * scale
    }

    @inline(__always)
    private static func exactPower(_ exponent: Int) -> Double {
        powersOfTen.withUnsafeBufferPointer { $0[exponent] }
    }

    @inline(__always)
    private static func powerOfFive(_ exponent: Int) -> UInt64 {
        powersOfFive.withUnsafeBufferPointer { $0[exponent] }
    }

    private static let powersOfTen: [Double] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
        1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
    ]

    private static let powersOfFive: [UInt64] = {
        var powers: [UInt64] = [1]
        while powers.count < 28 { powers.append(powers[powers.count - 1] * 5) }
        return powers
    }()
}
