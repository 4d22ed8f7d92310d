// text-file: texts are matched by Unicode scalars, and `split` is an instruction here

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
        /// In order, without overlaps and with gaps between them, so that one is found by halving.
        let ranges: [ClosedRange<UInt32>]
        let isNegated: Bool
        /// What one look costs, in steps of the budget.
        let cost: Int

        init(ranges: [ClosedRange<UInt32>], isNegated: Bool = false) {
            self.ranges = Self.merged(ranges)
            self.isNegated = isNegated
            cost = 1 + (Int.bitWidth - self.ranges.count.leadingZeroBitCount)
        }

        func holds(_ scalar: UInt32) -> Bool {
            var (low, high) = (0, ranges.count)
            while low < high {
                let middle = (low + high) / 2
                if ranges[middle].upperBound < scalar { low = middle + 1 } else { high = middle }
            }
            let isInside = low < ranges.count && ranges[low].lowerBound <= scalar
            return isInside != isNegated
        }

        private static func merged(_ ranges: [ClosedRange<UInt32>]) -> [ClosedRange<UInt32>] {
            guard ranges.count > 1 else { return ranges }
            var result: [ClosedRange<UInt32>] = []
            for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
                if let last = result.last, range.lowerBound <= last.upperBound &+ 1 {
                    result[result.count - 1] =
                        last.lowerBound...max(last.upperBound, range.upperBound)
                } else {
                    result.append(range)
                }
            }
            return result
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

    /// Whether it matches anywhere in `text`. Takes from `budget` for each instruction and each set
    /// of characters that is looked at.
    ///
    /// - Throws: `TooLong` when the budget is used up.
    package func isFound(in text: String, budget: inout Budget) throws(TooLong) -> Bool {
        var run = TextPatternRun(pattern: self)
        var before: UInt32?
        for scalar in text.unicodeScalars {
            if try run.isFound(before: before, after: scalar.value, budget: &budget) { return true }
            try run.take(ignoresCase ? Self.folded(scalar) : scalar.value, budget: &budget)
            before = scalar.value
        }
        return try run.isFound(before: before, after: nil, budget: &budget)
    }

    /// What may be spent on matching: steps, and whatever else ends it, asked now and then.
    package struct Budget: Sendable {
        private static let stepsBetweenQuestions = 50_000

        package private(set) var steps: Int
        private var untilQuestion = Budget.stepsBetweenQuestions
        private let mayGoOn: @Sendable () -> Bool

        /// - Parameter mayGoOn: `false` ends it as if all steps were spent.
        package init(steps: Int, mayGoOn: @escaping @Sendable () -> Bool = { true }) {
            self.steps = steps
            self.mayGoOn = mayGoOn
        }

        package var isOver: Bool { steps <= 0 }

        mutating func spend(_ count: Int) throws(TooLong) {
            steps -= count
            untilQuestion -= count
            if untilQuestion <= 0 {
                untilQuestion = Self.stepsBetweenQuestions
                if !mayGoOn() { steps = 0 }
            }
            guard steps > 0 else { throw TooLong() }
        }
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
        before: UInt32?, after: UInt32?, budget: inout TextPattern.Budget
    ) throws(TextPattern.TooLong) -> Bool {
        step += 1
        // The text's own length counts, also where nothing can match any more.
        try budget.spend(1 + next.count)
        places.removeAll(keepingCapacity: true)
        stack.removeAll(keepingCapacity: true)
        stack.append(0)
        stack.append(contentsOf: next)
        while let place = stack.popLast() {
            guard reached[place] != step else { continue }
            reached[place] = step
            try budget.spend(1)
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

    mutating func take(
        _ scalar: UInt32, budget: inout TextPattern.Budget
    ) throws(TextPattern.TooLong) {
        next.removeAll(keepingCapacity: true)
        for place in places {
            guard case .take(let characters) = pattern.program[place] else { continue }
            try budget.spend(characters.cost)
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
