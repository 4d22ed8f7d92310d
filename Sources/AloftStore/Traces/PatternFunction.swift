import AloftDomain
import GRDB
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
        _ patterns: [TextPattern], in db: Database, steps: Int = steps,
        longest: Duration = longest, _ body: () throws -> Value
    ) throws -> Value {
        guard let first = patterns.first else { return try body() }
        let byText = Dictionary(patterns.map { (ExactText($0.text), $0) }) { one, _ in one }
        let spending = Spending(steps, longest)
        let function = DatabaseFunction(name, argumentCount: 2, pure: true) { values in
            guard let text = String.fromDatabaseValue(values[0]),
                let pattern = byText[ExactText(text)],
                let value = String.fromDatabaseValue(values[1])
            else { return false }
            return try spending.left.withLock { try pattern.isFound(in: value, budget: &$0) }
        }
        db.add(function: function)
        defer { db.remove(function: function) }
        do { return try body() } catch let error as DatabaseError {
            guard spending.left.withLock({ $0.isOver }) else { throw error }
            throw TraceError.patternTooCostly(first.text)
        }
    }
}
