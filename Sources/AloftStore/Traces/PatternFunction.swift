import AloftDomain
import Synchronization

/// The function of SQL that looks for regular expressions. It is there for one search only, with what
/// that search may spend on it: the connection is not kept from others for long, whatever is asked.
enum PatternFunction {
    static let name = "aloft_pattern_found"
    /// Steps of all patterns in all texts of one search: about two seconds.
    static let steps = 100_000_000
    /// Whatever a step takes.
    static let longest = Duration.seconds(2)

    private final class Spending: Sendable {
        let left: Mutex<TextPattern.Budget>

        init(_ steps: Int, _ longest: Duration) {
            let end = ContinuousClock.now + longest
            left = Mutex(TextPattern.Budget(steps: steps) { ContinuousClock.now < end })
        }
    }

    /// Runs `body` with the function for these patterns.
    ///
    /// - Throws: `TraceError.patternTooCostly` once the steps are spent or the time is over.
    static func with<Value>(
        _ patterns: [TextPattern], in db: Transaction, steps: Int = steps,
        longest: Duration = longest, _ body: () throws -> Value
    ) throws -> Value {
        guard let first = patterns.first else { return try body() }
        let byText = Dictionary(patterns.map { (ExactText($0.text), $0) }) { one, _ in one }
        let spending = Spending(steps, longest)
        let isFound: (String, String) throws -> Bool = { text, value in
            guard let pattern = byText[ExactText(text)] else { return false }
            return try spending.left.withLock { try pattern.isFound(in: value, budget: &$0) }
        }
        do { return try db.with(function: name, isFound, body) } catch let error as StatementError {
            guard spending.left.withLock({ $0.isOver }) else { throw error }
            throw TraceError.patternTooCostly(first.text)
        }
    }
}
