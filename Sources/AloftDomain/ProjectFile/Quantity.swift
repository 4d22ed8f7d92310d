/// Numbers with units, as people write them: `10ms`, `2Gi`, `5%`.
package enum Quantity {
    /// A length of time: a number of at least 0 and `us`, `ms`, `s`, `m`, `h` or `d`; parts may
    /// follow one another, as in `1h30m`. At most 10 years. `nil` if it is none.
    package static func duration(_ text: String) -> Duration? {
        var rest = Substring(text)
        var seconds = 0.0
        guard !rest.isEmpty else { return nil }
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            let unit = rest.dropFirst(digits.count).prefix { $0.isLetter }
            guard let number = number(String(digits)), let scale = secondsPerUnit[String(unit)]
            else { return nil }
            seconds += number * scale
            rest = rest.dropFirst(digits.count + unit.count)
        }
        guard seconds <= 10 * 365 * 86_400 else { return nil }
        return .nanoseconds(Int64((seconds * 1e9).rounded()))
    }

    static let secondsPerUnit: [String: Double] = [
        "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600, "d": 86_400,
    ]

    /// A number of bytes: a number above 0 and `Ki`, `Mi`, `Gi`, `Ti` (powers of 1024), `K`, `M`,
    /// `G`, `T` (powers of 1000) or nothing; a `B` may follow. At most 1024 Ti. `nil` if it is none.
    package static func bytes(_ text: String) -> Int64? {
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        var unit = String(text.dropFirst(digits.count))
        if unit.hasSuffix("B") { unit.removeLast() }
        guard let number = number(String(digits)), let scale = bytesPerUnit[unit] else {
            return nil
        }
        let bytes = (number * scale).rounded()
        guard bytes >= 1, bytes <= 1_125_899_906_842_624 else { return nil }
        return Int64(bytes)
    }

    private static let bytesPerUnit: [String: Double] = [
        "": 1, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "Ki": 1024, "Mi": 1_048_576,
        "Gi": 1_073_741_824, "Ti": 1_099_511_627_776,
    ]

    /// Percent: `5%` is 5. `nil` if it is none.
    package static func percent(_ text: String) -> Double? {
        text.hasSuffix("%") ? number(String(text.dropLast())) : nil
    }

    /// A finite decimal number as JSON writes it, with an optional sign; `nil` if it is none, such
    /// as `nan`, `inf` or `0x10`, which `Double` itself would take.
    package static func number(_ text: String) -> Double? {
        let letters = "0123456789.eE+-".utf8
        guard let value = Double(text), value.isFinite,
            text.utf8.allSatisfy({ letters.contains($0) })
        else { return nil }
        return value
    }
}
