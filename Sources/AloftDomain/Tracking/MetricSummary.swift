/// The few points that stand for many of one metric, so that a chart need not read them all: the
/// earliest, the lowest, the greatest and the latest.
package enum MetricSummary {
    /// How many points a summary holds at most.
    package static let maxCount = 4

    /// At most four of `points`, each once, by step, then timestamp, then value. NaN is the lowest
    /// or the greatest only if there is nothing else.
    ///
    /// A summary of summaries is the summary of all their points.
    package static func of(_ points: some Sequence<MetricPoint>) -> [MetricPoint] {
        var iterator = points.makeIterator()
        guard let start = iterator.next() else { return [] }
        var first = start
        var last = start
        var lowest = start
        var greatest = start
        while let point = iterator.next() {
            if MetricPoint.isEarlier(point, first) { first = point }
            if MetricPoint.isEarlier(last, point) { last = point }
            if isLower(point, lowest) { lowest = point }
            if isGreater(point, greatest) { greatest = point }
        }
        return inStepOrder([first, lowest, greatest, last])
    }

    /// By step, then timestamp, then value, each point once.
    package static func inStepOrder(_ points: [MetricPoint]) -> [MetricPoint] {
        var result: [MetricPoint] = []
        result.reserveCapacity(points.count)
        for point in points.sorted(by: MetricPoint.isEarlier)
        where result.last.map({ !$0.isRepeat(of: point) }) ?? true {
            result.append(point)
        }
        return result
    }

    /// Of equal values the earliest is the lowest, and the greatest.
    private static func isLower(_ left: MetricPoint, _ right: MetricPoint) -> Bool {
        if left.value.isNaN || right.value.isNaN { return isBetter(left, right) }
        if left.value != right.value { return left.value < right.value }
        return MetricPoint.isEarlier(left, right)
    }

    private static func isGreater(_ left: MetricPoint, _ right: MetricPoint) -> Bool {
        if left.value.isNaN || right.value.isNaN { return isBetter(left, right) }
        if left.value != right.value { return left.value > right.value }
        return MetricPoint.isEarlier(left, right)
    }

    /// Any number rather than NaN; of two NaN the earlier.
    private static func isBetter(_ left: MetricPoint, _ right: MetricPoint) -> Bool {
        if left.value.isNaN != right.value.isNaN { return right.value.isNaN }
        return MetricPoint.isEarlier(left, right)
    }
}
