/// The name of one prediction: 28 hexadecimal digits, unique for all time by the chance in the first
/// sixteen, which are new at each start of a gateway.
package struct PredictionID: Sendable, Hashable {
    package let incarnation: UInt64
    package let loop: UInt8
    /// At most 40 bits of it are in the name.
    package var sequence: UInt64

    package static let digitCount = 28

    package init(incarnation: UInt64, loop: UInt8, sequence: UInt64 = 0) {
        self.incarnation = incarnation
        self.loop = loop
        self.sequence = sequence
    }

    /// `nil` unless `text` is 28 hexadecimal digits.
    package init?(_ text: String) {
        let digits = Array(text.utf8)
        guard digits.count == Self.digitCount,
            let incarnation = Self.number(digits[0..<16]),
            let loop = Self.number(digits[16..<18]), let sequence = Self.number(digits[18...])
        else { return nil }
        self.init(
            incarnation: incarnation, loop: UInt8(truncatingIfNeeded: loop), sequence: sequence)
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> UInt64? {
        var value: UInt64 = 0
        for digit in digits {
            switch digit {
            case 48...57: value = value << 4 | UInt64(digit - 48)
            case 97...102: value = value << 4 | UInt64(digit - 87)
            case 65...70: value = value << 4 | UInt64(digit - 55)
            default: return nil
            }
        }
        return value
    }

    package var text: String {
        Self.hexadecimal(incarnation, 16) + Self.hexadecimal(UInt64(loop), 2)
            + Self.hexadecimal(sequence & 0xFF_FFFF_FFFF, 10)
    }

    /// The identifier of the gateway's own span in a trace, never zero: made from the name, so that
    /// it need not be stored.
    package var spanID: UInt64 {
        var mixed = (incarnation ^ (UInt64(loop) << 40 | sequence)) &* 0x9E37_79B9_7F4A_7C15
        mixed ^= mixed >> 32
        return mixed == 0 ? 1 : mixed
    }

    package static func hexadecimal(_ value: UInt64, _ digits: Int) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }
}
