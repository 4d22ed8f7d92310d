/// Reads `metric comparison bound`. A name is letters, digits, `_`, `.` and `/`; any other goes in
/// backticks.
struct CheckParser {
    typealias Malformed = CheckExpression.Malformed

    struct Parts {
        var metric: String
        var comparison: CheckExpression.Comparison
        var bound: CheckExpression.Bound
        var unit: CheckExpression.Unit
    }

    private static let longest = 500
    private let source: String
    private var rest: Substring

    init(_ source: String) {
        self.source = source
        rest = Substring(source)
    }

    mutating func parse() throws(Malformed) -> Parts {
        guard source.utf8.count <= Self.longest else {
            throw Malformed(message: "a check has at most \(Self.longest) characters")
        }
        guard let metric = try name() else {
            throw malformed("it must begin with a metric's name")
        }
        skipSpaces()
        guard let comparison = self.comparison() else {
            throw malformed("after `\(metric)` comes one of <=, >=, <, >, ==, !=")
        }
        skipSpaces()
        let (bound, unit) = try self.bound(of: metric)
        skipSpaces()
        guard rest.isEmpty else { throw malformed("`\(rest)` is too much") }
        return Parts(metric: metric, comparison: comparison, bound: bound, unit: unit)
    }

    private mutating func bound(
        of metric: String
    ) throws(Malformed) -> (CheckExpression.Bound, CheckExpression.Unit) {
        let isLatency = CheckExpression.latencyFraction(metric) != nil
        if let (value, unit) = number() {
            guard !isLatency || unit == .seconds else {
                throw malformed("a latency needs a unit, as in `10ms`")
            }
            return (.constant(value), unit)
        }
        guard let name = try name(), let dot = name.firstIndex(of: "."), dot != name.startIndex,
            name.index(after: dot) != name.endIndex
        else {
            throw malformed(
                "on the right stands a number (0.65, 10ms, 1%) or a metric of another environment "
                    + "(production.\(metric))")
        }
        let (adjustment, unit) = try adjustment()
        return (
            .other(
                environment: String(name[..<dot]), metric: String(name[dot...].dropFirst()),
                adjustment),
            isLatency ? .seconds : unit
        )
    }

    private mutating func adjustment() throws(Malformed) -> (
        CheckExpression.Adjustment, CheckExpression.Unit
    ) {
        skipSpaces()
        guard let sign = rest.first, "+-*".contains(sign) else { return (.none, .number) }
        rest = rest.dropFirst()
        skipSpaces()
        guard let (value, unit) = number(), value >= 0 else {
            throw malformed("a number follows `\(sign)`")
        }
        switch sign {
        case "+": return (.plus(value), unit)
        case "-": return (.plus(-value), unit)
        default: return (.times(value), .number)
        }
    }

    private mutating func name() throws(Malformed) -> String? {
        skipSpaces()
        if rest.first == "`" {
            rest = rest.dropFirst()
            guard let close = rest.firstIndex(of: "`"), close != rest.startIndex else {
                throw malformed("a name in backticks ends with a backtick")
            }
            defer { rest = rest[close...].dropFirst() }
            return String(rest[..<close])
        }
        guard let first = rest.first, first.isLetter || first == "_" else { return nil }
        let name = rest.prefix { $0.isLetter || $0.isNumber || "_./".contains($0) }
        rest = rest.dropFirst(name.count)
        return String(name)
    }

    private mutating func comparison() -> CheckExpression.Comparison? {
        for candidate in CheckExpression.Comparison.allCases
        where rest.hasPrefix(candidate.rawValue) {
            rest = rest.dropFirst(candidate.rawValue.count)
            return candidate
        }
        return nil
    }

    /// A number with its unit: seconds for a duration, a fraction for a percentage.
    private mutating func number() -> (Double, CheckExpression.Unit)? {
        var text = ""
        var after = rest
        while let letter = after.first,
            letter.isASCII && (letter.isNumber || letter == ".")
                || "+-".contains(letter) && (text.isEmpty || "eE".contains(text.last ?? " "))
                || "eE".contains(letter) && !text.isEmpty
        {
            text.append(letter)
            after = after.dropFirst()
        }
        guard let value = Quantity.number(text) else { return nil }
        let unit = after.prefix { $0.isLetter || $0 == "%" }
        rest = after.dropFirst(unit.count)
        if unit.isEmpty { return (value, .number) }
        if unit == "%" { return (value / 100, .fraction) }
        if let scale = Quantity.secondsPerUnit[String(unit)] { return (value * scale, .seconds) }
        rest = after
        return (value, .number)
    }

    private mutating func skipSpaces() { rest = rest.drop { $0 == " " || $0 == "\t" } }

    private func malformed(_ reason: String) -> Malformed {
        Malformed(message: "the check `\(source)` cannot be read: \(reason)")
    }
}
