/// What a call of a model costs: a fixed part and one for each element of its inputs, learned from calls.
///
/// Calls are remembered by their size, in powers of two, so that what is known of other sizes stays while
/// all calls are of one size, as they are under overload. A line is laid through those by least squares
/// in which what was not seen lately counts next to nothing where anything else says something.
package struct BatchCostModel: Sendable {
    /// The means of calls of about one size.
    private struct Sizes {
        /// Of all calls that were ever seen, up to so many that more say no more.
        var seen = 0.0
        var weight = 0.0
        var size = 0.0
        var time = 0.0
    }

    private var sizes = [Sizes](repeating: Sizes(), count: 40)
    /// Through `sizes`; asked for each request, so kept.
    private var line = BatchCost(fixedNanoseconds: 0, eachNanoseconds: 0)

    /// What is left of a call's weight after the next one.
    private static let memory = 0.98
    /// The most that calls weigh together.
    private static let full = 1 / (1 - memory)
    /// What stays of calls that were long ago.
    private static let remembrance = 0.01

    package init() {}

    /// - Parameter calls: how many took so long.
    package mutating func record(size: Int, nanoseconds: Double, calls: Double = 1) {
        let size = max(size, 1)
        let place = min(Int.bitWidth - 1 - size.leadingZeroBitCount, sizes.count - 1)
        for index in sizes.indices where sizes[index].weight > 0 {
            let kept = Self.remembrance * sizes[index].seen / Self.full
            sizes[index].weight = max(kept, sizes[index].weight * Self.memory)
        }
        let weight = (sizes[place].weight + calls) / calls
        sizes[place].seen = min(Self.full, sizes[place].seen + calls)
        sizes[place].weight += calls
        sizes[place].size += (Double(size) - sizes[place].size) / weight
        sizes[place].time += (nanoseconds - sizes[place].time) / weight
        line = Self.line(sizes)
    }

    /// What rows cost that have so many elements each, neither part below 0. Where all calls were of
    /// about one size nothing is known of a fixed part, and none is supposed; before the first call both
    /// are 0.
    package func ofRows(elements: Double) -> BatchCost {
        BatchCost(
            fixedNanoseconds: line.fixedNanoseconds,
            eachNanoseconds: line.eachNanoseconds * elements)
    }

    /// The line through all sizes: what a call costs, and an element.
    private static func line(_ sizes: [Sizes]) -> BatchCost {
        let (weight, size, time) = sizes.reduce((0.0, 0.0, 0.0)) {
            ($0.0 + $1.weight, $0.1 + $1.weight * $1.size, $0.2 + $1.weight * $1.time)
        }
        guard weight > 0 else { return BatchCost(fixedNanoseconds: 0, eachNanoseconds: 0) }
        let (meanSize, meanTime) = (size / weight, time / weight)
        let (spread, product) = sizes.reduce((0.0, 0.0)) { sum, one in
            let distance = one.size - meanSize
            return (
                sum.0 + one.weight * distance * distance,
                sum.1 + one.weight * distance * (one.time - meanTime)
            )
        }
        let proportional = BatchCost(fixedNanoseconds: 0, eachNanoseconds: meanTime / meanSize)
        guard spread > 1e-9 * weight * meanSize * meanSize else { return proportional }
        let each = product / spread
        if each < 0 { return BatchCost(fixedNanoseconds: meanTime, eachNanoseconds: 0) }
        let fixed = meanTime - each * meanSize
        return fixed < 0 ? proportional : BatchCost(fixedNanoseconds: fixed, eachNanoseconds: each)
    }
}

/// What a call of a model costs by its rows.
package struct BatchCost: Sendable, Equatable {
    package var fixedNanoseconds: Double
    package var eachNanoseconds: Double

    package init(fixedNanoseconds: Double, eachNanoseconds: Double) {
        self.fixedNanoseconds = fixedNanoseconds
        self.eachNanoseconds = eachNanoseconds
    }

    package func nanoseconds(rows: Int) -> Double {
        fixedNanoseconds + eachNanoseconds * Double(rows)
    }
}
