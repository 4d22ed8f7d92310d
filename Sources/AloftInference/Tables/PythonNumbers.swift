/// Numbers that stand in texts, as Python's `float` and `int` read them, which is what MLflow makes of a
/// text in a column of numbers.
enum PythonNumbers {
    /// No number is written so long.
    private static let longest = 4096

    /// `nil` where Python refuses it. Words for infinity and for no number are numbers.
    ///
    /// - Parameter joined: whether `_` may stand between digits, which in CSV it may not.
    static func real(_ text: UnsafeRawBufferPointer, joined: Bool = true) -> Double? {
        guard text.count <= longest, let plain = plain(text, joined) else { return nil }
        let sign = plain.first == UInt8(ascii: "-") || plain.first == UInt8(ascii: "+")
        let digits = plain.dropFirst(sign ? 1 : 0)
        let isNegative = plain.first == UInt8(ascii: "-")
        switch String(decoding: digits, as: UTF8.self).lowercased() {
        case "inf", "infinity": return isNegative ? -.infinity : .infinity
        case "nan": return .nan
        default: break
        }
        // Swift also reads hexadecimal numbers, and words with more behind them.
        let isDecimal = digits.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "e"),
                UInt8(ascii: "E"), UInt8(ascii: "-"), UInt8(ascii: "+"):
                true
            default: false
            }
        }
        guard isDecimal else { return nil }
        return Double(String(decoding: plain, as: UTF8.self))
    }

    /// Its sign and magnitude; `nil` where it is no whole number of 64 bits.
    static func whole(
        _ text: UnsafeRawBufferPointer, joined: Bool = true
    ) -> (isNegative: Bool, magnitude: UInt64)? {
        guard text.count <= longest, let plain = plain(text, joined) else { return nil }
        let isNegative = plain.first == UInt8(ascii: "-")
        let isSigned = isNegative || plain.first == UInt8(ascii: "+")
        let digits = plain.dropFirst(isSigned ? 1 : 0)
        guard digits.allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }) else {
            return nil
        }
        // traps: a text is parsed, to nil where it is no number of 64 bits
        return UInt64(String(decoding: digits, as: UTF8.self)).map { (isNegative, $0) }
    }

    /// Without blanks around it and `_` between digits; `nil` where those stand elsewhere, or nothing is left.
    private static func plain(_ text: UnsafeRawBufferPointer, _ joined: Bool) -> [UInt8]? {
        func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (byte >= 0x09 && byte <= 0x0D) }
        func isDigit(_ byte: UInt8?) -> Bool {
            byte.map { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") } ?? false
        }
        var rest = text.drop(while: isBlank)
        while let last = rest.last, isBlank(last) { rest = rest.dropLast() }
        var plain: [UInt8] = []
        plain.reserveCapacity(rest.count)
        for (index, byte) in rest.enumerated() {
            guard byte == UInt8(ascii: "_") else {
                plain.append(byte)
                continue
            }
            let next = rest.dropFirst(index + 1).first
            guard joined, isDigit(plain.last), isDigit(next) else { return nil }
        }
        return plain.isEmpty ? nil : plain
    }
}
