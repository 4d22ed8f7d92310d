/// A regular expression that strangers may write: the part of Python's language that can be matched
/// in time proportional to text × pattern, whatever both are. No references back and no looking
/// around; these are refused by name.
package struct TextPattern: Sendable, Equatable {
    /// Why a pattern is not one; a sentence without its end.
    package struct Fault: Error, Equatable {
        package let reason: String
    }

    /// The text is so long that the pattern would take too long on it.
    package struct TooLong: Error, Equatable {}

    /// The most instructions of a pattern, with its repetitions written out.
    static let maxInstructions = 2000

    /// A set of characters: ranges of Unicode scalars, or all but these.
    struct Characters: Sendable, Equatable {
        var ranges: [ClosedRange<UInt32>] = []
        var isNegated = false

        func holds(_ scalar: UInt32) -> Bool {
            ranges.contains { $0.contains(scalar) } != isNegated
        }
    }

    enum Assertion: Sendable, Equatable { case start, end, wordBoundary, noWordBoundary }

    enum Instruction: Sendable, Equatable {
        case take(Characters)
        /// Goes on at both places.
        case split(Int, Int)
        case jump(Int)
        case assert(Assertion)
        case found
    }

    package let text: String
    let program: [Instruction]
    let ignoresCase: Bool

    /// - Throws: `Fault`, naming what is wrong with the pattern or what is not supported.
    package init(_ text: String) throws(Fault) {
        self.text = text
        var parser = TextPatternParser(text)
        let tree = try parser.parse()
        ignoresCase = parser.ignoresCase
        var compiler = TextPatternCompiler()
        try compiler.add(tree)
        program = compiler.program + [.found]
    }

    /// Whether it matches anywhere in `text`. Takes `budget` for each instruction that is looked at.
    ///
    /// - Throws: `TooLong` when the budget is used up.
    package func isFound(in text: String, budget: inout Int) throws(TooLong) -> Bool {
        var run = TextPatternRun(pattern: self)
        var before: UInt32?
        for scalar in text.unicodeScalars {
            if try run.isFound(before: before, after: scalar.value, budget: &budget) { return true }
            run.take(ignoresCase ? Self.folded(scalar) : scalar.value)
            before = scalar.value
        }
        return try run.isFound(before: before, after: nil, budget: &budget)
    }

    /// Lower case, where that is one character as well.
    static func folded(_ scalar: Unicode.Scalar) -> UInt32 {
        if scalar.value < 128 {
            return (65...90).contains(scalar.value) ? scalar.value + 32 : scalar.value
        }
        let lower = scalar.properties.lowercaseMapping.unicodeScalars
        return lower.count == 1 ? lower.first?.value ?? scalar.value : scalar.value
    }

    static func isWord(_ scalar: UInt32?) -> Bool {
        guard let scalar, let character = Unicode.Scalar(scalar) else { return false }
        return Character(character).isLetter || Character(character).isNumber || scalar == 95
    }
}

/// All places of the program that one walk through a text is at.
private struct TextPatternRun {
    let pattern: TextPattern
    private var places: [Int] = []
    private var next: [Int] = []
    /// The step at which each place was reached last.
    private var reached: [Int]
    private var step = 0
    private var stack: [Int] = []

    init(pattern: TextPattern) {
        self.pattern = pattern
        reached = Array(repeating: -1, count: pattern.program.count)
    }

    /// Follows everything that takes no character; a match may start at each one.
    mutating func isFound(
        before: UInt32?, after: UInt32?, budget: inout Int
    ) throws(TextPattern.TooLong) -> Bool {
        step += 1
        places.removeAll(keepingCapacity: true)
        stack.removeAll(keepingCapacity: true)
        stack.append(0)
        stack.append(contentsOf: next)
        while let place = stack.popLast() {
            guard reached[place] != step else { continue }
            reached[place] = step
            budget -= 1
            guard budget > 0 else { throw TextPattern.TooLong() }
            switch pattern.program[place] {
            case .found: return true
            case .take: places.append(place)
            case .jump(let target): stack.append(target)
            case .split(let one, let other):
                stack.append(one)
                stack.append(other)
            case .assert(let assertion):
                if Self.holds(assertion, before, after) { stack.append(place + 1) }
            }
        }
        return false
    }

    mutating func take(_ scalar: UInt32) {
        next.removeAll(keepingCapacity: true)
        for place in places {
            guard case .take(let characters) = pattern.program[place] else { continue }
            if characters.holds(scalar) { next.append(place + 1) }
        }
    }

    private static func holds(
        _ assertion: TextPattern.Assertion, _ before: UInt32?, _ after: UInt32?
    ) -> Bool {
        switch assertion {
        case .start: before == nil
        case .end: after == nil
        case .wordBoundary: TextPattern.isWord(before) != TextPattern.isWord(after)
        case .noWordBoundary: TextPattern.isWord(before) == TextPattern.isWord(after)
        }
    }
}
