import AloftDomain

/// The rules of dynamic batching: how large a batch may be, and how long a call may be held so that others
/// join it (Triton's queue delay, which is worked out here, not set). Pure.
///
/// A call joins a batch at the price of its rows alone, so waiting for it is worth at most the fixed
/// part of a call. When a batch is answered, its clients send again within a moment; the first of them
/// would be run alone and the others wait for it. So after a burst, a call is held until a runner's share of
/// it is there again, but for no longer than the fixed part costs and the latency target allows. After a
/// lone call nothing is held.
package struct BatchPolicy: Sendable {
    /// Rows of one call at most; 1 never batches.
    package var maximumRows: Int
    /// How long an answer may take, in nanoseconds.
    package var targetNanoseconds: Double

    /// What batches are held to where nobody said how long an answer may take, in nanoseconds.
    private static let defaultTargetNanoseconds = 1e9

    /// - Parameter stated: by somebody; in nanoseconds, like the rest.
    static func targetNanoseconds(_ stated: Double?, _ loneNanoseconds: Double) -> Double {
        stated ?? max(defaultTargetNanoseconds, 4 * loneNanoseconds)
    }

    /// The part of the best throughput that is kept when batches are made shorter.
    private static let kept = 0.92

    package init(maximumRows: Int, targetNanoseconds: Double) {
        self.maximumRows = maximumRows
        self.targetNanoseconds = targetNanoseconds
    }

    /// The most rows of a call, so that it takes no longer than half of the target.
    ///
    /// Under overload every batch is a full one, and everybody waits for a whole one before the own. So
    /// batches are then the shortest that keep most of the throughput.
    package func rowLimit(_ cost: BatchCost, isOverloaded: Bool = false) -> Int {
        guard cost.eachNanoseconds > 0 else { return maximumRows }
        let rows = (targetNanoseconds / 2 - cost.fixedNanoseconds) / cost.eachNanoseconds
        let most = max(1, min(maximumRows, rows < 1 ? 1 : Int(bounded: rows, 1...1_000_000)))
        guard isOverloaded else { return most }
        // rows / (fixed + each * rows) is the throughput; solved for the rows that give the kept one.
        let kept = Self.kept * Double(most) / cost.nanoseconds(rows: most)
        let enough = kept * cost.fixedNanoseconds / (1 - kept * cost.eachNanoseconds)
        // Two where that may be, so that what more of them cost is seen again and again.
        return max(
            min(2, most), min(most, Int(bounded: (enough - 1e-9).rounded(.up), 0...1_000_000)))
    }

    /// - Parameters:
    ///   - waiting: calls that are there.
    ///   - expected: a runner's share of the calls that waited or ran as the last batch was taken.
    ///   - oldestWaitNanoseconds: nanoseconds that the first of them has waited.
    /// - Returns: nanoseconds to hold them from now on; 0 to run at once.
    package func holdNanoseconds(
        waiting: Int, expected: Int, oldestWaitNanoseconds: Double, cost: BatchCost
    ) -> Double {
        guard maximumRows > 1, expected > 1, waiting < min(expected, rowLimit(cost)) else {
            return 0
        }
        let slack = targetNanoseconds - oldestWaitNanoseconds - cost.nanoseconds(rows: expected)
        return max(0, min(cost.fixedNanoseconds - oldestWaitNanoseconds, slack / 2))
    }
}
