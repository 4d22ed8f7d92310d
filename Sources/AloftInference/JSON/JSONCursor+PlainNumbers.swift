extension JSONCursor {
    /// So many bytes must follow for `plainNumber`, which then looks at none beyond the text.
    private static let plainReach = 40

    /// The number that follows, where it is written as nearly all are: `-12.5`, at most nineteen
    /// digits, no exponent. `nil`, with nothing taken, where it is not, or stands at the end of the text:
    /// then the long way reads it, or says what is wrong.
    @inline(__always)
    mutating func plainNumber() -> Double? {
        guard end - position >= Self.plainReach else { return nil }
        let start = base + position
        let isNegative = start[0] == UInt8(ascii: "-")
        let whole = isNegative ? start + 1 : start
        var at = whole
        var digits: UInt64 = 0
        while at[0] &- 48 < 10, at - whole < 8 {
            digits = digits &* 10 &+ UInt64(at[0] &- 48)
            at += 1
        }
        let wholeCount = at - whole
        guard wholeCount == 1 || (wholeCount > 1 && whole[0] != UInt8(ascii: "0")) else {
            return nil
        }
        var fractionCount = 0
        if at[0] == UInt8(ascii: ".") {
            at += 1
            let fraction = at
            var run = DigitRun(at)
            run.append(to: &digits)
            at += run.count
            if run.count == 8 {
                run = DigitRun(at)
                run.append(to: &digits)
                at += run.count
            }
            // One or two more are left of the seventeen that a double has.
            while at[0] &- 48 < 10, at - fraction < 19 {
                digits = digits &* 10 &+ UInt64(at[0] &- 48)
                at += 1
            }
            fractionCount = at - fraction
            guard fractionCount > 0 else { return nil }
        }
        // Nineteen digits always fit 64 bits; what was reckoned of more is thrown away here.
        guard wholeCount + fractionCount <= 19, at[0] &- 48 >= 10, at[0] != UInt8(ascii: "."),
            at[0] | 0x20 != UInt8(ascii: "e"),
            let magnitude = Self.double(digits, exponent: -fractionCount)
        else { return nil }
        advance(to: at - base)
        return isNegative ? -magnitude : magnitude
    }
}

/// The digits that eight bytes of text begin with, read in a few operations on all at once (Lemire,
/// "Number parsing at a gigabyte per second", 2021, section 4).
struct DigitRun {
    /// 0...8.
    let count: Int
    private let value: UInt64

    /// - Parameter start: eight bytes can be read there.
    @inline(__always)
    init(_ start: UnsafePointer<UInt8>) {
        let word = UInt64(
            littleEndian: UnsafeRawPointer(start).loadUnaligned(as: UInt64.self))
        // A digit is 0 to 9 now; what is none gets its highest bit set, and may carry into bytes behind
        // it, which are not looked at.
        let tens = word ^ 0x3030_3030_3030_3030
        let others = ((tens &+ 0x7676_7676_7676_7676) | tens) & 0x8080_8080_8080_8080
        count = others.trailingZeroBitCount >> 3
        guard count > 0 else {
            value = 0
            return
        }
        // As if zeros stood before them, so that there are eight.
        var pairs = tens &<< UInt64(truncatingIfNeeded: (8 - count) &* 8)
        pairs = pairs &* 10 &+ (pairs >> 8)
        let low = (pairs & 0x0000_00FF_0000_00FF) &* 0x000F_4240_0000_0064
        let high = ((pairs >> 16) & 0x0000_00FF_0000_00FF) &* 0x0000_2710_0000_0001
        value = (low &+ high) >> 32
    }

    /// Appends the digits to those of a number.
    @inline(__always)
    func append(to digits: inout UInt64) {
        digits = digits &* Self.powersOfTen[count] &+ value
    }

    private static let powersOfTen: [UInt64] = [
        1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000,
    ]
}
