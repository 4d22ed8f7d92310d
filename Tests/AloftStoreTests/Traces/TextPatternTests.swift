import AloftDomain
import AloftTestKit
import Foundation
import Testing

@testable import AloftStore

struct TextPatternTests {
    private func isFound(_ pattern: String, _ text: String) throws -> Bool {
        var budget = TextPattern.Budget(steps: 1_000_000)
        return try TextPattern(pattern).isFound(in: text, budget: &budget)
    }

    @Test(arguments: [
        ("", "", true), ("", "abc", true), ("b", "abc", true), ("^b", "abc", false),
        ("c$", "abc", true), ("^abc$", "abc", true), ("a.c", "abc", true), ("a.c", "a\nc", false),
        ("colou?r", "color", true), ("^(get|set)_[a-z]+$", "get_weather", true),
        ("^(?:get|set)_", "let_x", false), ("(?P<name>a)(?<other>b)", "ab", true),
        ("^a{2,3}$", "aaaa", false), ("^a{2,}$", "aaaa", true), ("^a{,2}$", "aa", true),
        ("^[^0-9]+$", "abc", true), ("[]a]", "]", true), ("[a-]", "-", true),
        ("[\\d.]+%", "9.5%", true),
        ("\\bgpt-4\\b", "use gpt-4 now", true), ("\\bgpt\\b", "gpts", false),
        ("\\.json$", "a.json", true),
        ("^\\w+$", "Zoë_1", true), ("^\\S+$", "a b", false), ("(?i)ERROR", "an Error", true),
        ("(?i)^[A-F]+$", "deadBEEF", true), ("(?i)é", "É", true), ("error", "ERROR", false),
        // A mark that is combined with the flag is of the pattern, not of the flag.
        ("(?i)\u{301}", "e\u{301}", true),
        ("a*?b", "aaab", true), ("(a|b)*c", "ababc", true), ("(a*)*$", "aaa", true),
        ("日本", "in 日本語", true), ("^.$", "🙂", true), ("()", "x", true), ("a|", "x", true),
    ])
    func `patterns are found as Python finds them`(_ one: (String, String, Bool)) throws {
        #expect(try isFound(one.0, one.1) == one.2)
    }

    @Test(arguments: [
        ("(?=a)", "looking around"), ("(?<!a)b", "looking around"), ("(a)\\1", "references back"),
        ("(?P<n>a)(?P=n)", "references back"), ("(a", "without its ')'"), ("a)", "without its '('"),
        ("[a", "without its ']'"), ("*a", "nothing to repeat"),
        ("a**", "repetition of a repetition"),
        ("a\\", "at the end"), ("[z-a]", "ends before it starts"), ("a{1001}", "over 1000"),
        ("a{3,2}", "the most is less"), ("a{x}", "for a brace"), ("(?s)a", "options other"),
        ("\\q", "not supported"), ("a*+", "possessive"),
        ("((a{100}){100}){100}", "more than 2000 steps"),
        ("(((){1000}){1000}){1000}", "more than 2000 steps"),
        (String(repeating: "(", count: 100), "more than 50 groups"),
    ])
    func `what is none or cannot be matched in bounded time is refused by name`(
        _ one: (pattern: String, why: String)
    ) {
        #expect(throws: TextPattern.Fault.self) { try TextPattern(one.pattern) }
        do { _ = try TextPattern(one.pattern) } catch { #expect(error.reason.contains(one.why)) }
    }

    @Test func `a pattern that makes others try for ever takes steps by the length of the text`()
        throws
    {
        let pattern = try TextPattern("^(a+)+$|(a|aa)*c")
        let text = String(repeating: "a", count: 20_000) + "b"
        let before = 20_000 * 6 * pattern.program.count
        var budget = TextPattern.Budget(steps: before)
        #expect(try !pattern.isFound(in: text, budget: &budget))
        #expect(!budget.isOver)
        var little = TextPattern.Budget(steps: 1000)
        #expect(throws: TextPattern.TooLong.self) {
            try pattern.isFound(in: text, budget: &little)
        }
    }

    @Test func `a set of characters costs by its ranges, which are merged`() throws {
        let scattered = (0..<3000).map { UInt32(0x4E00 + 2 * $0) }.map { $0...$0 }
        let set = TextPattern.Characters(
            ranges: scattered.reversed() + [65...70, 68...90, 91...95])
        #expect(set.ranges.count == 3001)
        #expect(set.ranges.first == 65...95)
        #expect(set.cost < 16)
        #expect(set.holds(0x4E00 + 200) && !set.holds(0x4E00 + 201) && set.holds(95))
        #expect(!set.holds(96) && !set.holds(64))

        // Nothing that it looks at is free: the steps grow by what a set costs.
        func steps(_ pattern: String) throws -> Int {
            var budget = TextPattern.Budget(steps: 1_000_000)
            _ = try TextPattern(pattern).isFound(in: "aaaaaaaaaa", budget: &budget)
            return 1_000_000 - budget.steps
        }
        let letters = scattered.compactMap { Unicode.Scalar($0.lowerBound) }.map(String.init)
        #expect(try steps("([^\(letters.joined())]?){20}b") > steps("([^x]?){20}b") * 2)
    }

    @Test func `a budget also ends when whoever gave it says so`() throws {
        let pattern = try TextPattern("(a?){900}b")
        var budget = TextPattern.Budget(steps: .max) { false }
        #expect(throws: TextPattern.TooLong.self) {
            try pattern.isFound(in: String(repeating: "a", count: 4000), budget: &budget)
        }
        #expect(budget.isOver)
    }

    @Test(arguments: 0..<200)
    func `any pattern is found where another engine finds it`(_ seed: UInt64) throws {
        var chance = SplitMix64(seed: seed)
        for _ in 0..<20 {
            let pattern = Self.pattern(depth: 3, &chance)
            let other = try NSRegularExpression(pattern: pattern)
            for _ in 0..<10 {
                let text = Self.text(&chance)
                let range = NSRange(location: 0, length: text.utf16.count)
                let expected = other.firstMatch(in: text, range: range) != nil
                #expect(try isFound(pattern, text) == expected, "\(pattern) in \(text)")
            }
        }
    }

    private static func text(_ chance: inout SplitMix64) -> String {
        String(
            (0..<Int.random(in: 0...8, using: &chance)).map { _ in
                "ab_ ".randomElement(using: &chance) ?? "a"
            })
    }

    private static func pattern(depth: Int, _ chance: inout SplitMix64) -> String {
        let atoms = ["a", "b", ".", "[ab]", "[^a]", "\\w", "\\s", "\\b", "^", "$", "_"]
        func part() -> String {
            guard depth > 0, Int.random(in: 0..<3, using: &chance) == 0 else {
                return atoms.randomElement(using: &chance) ?? "a"
            }
            return "(" + pattern(depth: depth - 1, &chance) + ")"
        }
        return (0..<Int.random(in: 1...4, using: &chance)).map { _ in
            let one = part()
            let isAssertion = ["\\b", "^", "$"].contains(one)
            let counts = ["", "", "", "*", "+", "?", "{1,2}", "|"]
            let count = counts.randomElement(using: &chance) ?? ""
            return one + (isAssertion && count != "|" ? "" : count)
        }.joined()
    }
}
