/// Fewer points that still show the same curve.
package enum MetricThinning {
    /// At most `limit` of `points`, which are in the order of `MetricPoint.isEarlier`: the first and
    /// the last, and of each equal stretch between them those with the smallest and the greatest
    /// value. NaN stays only where a stretch holds nothing else.
    package static func thinned(_ points: [MetricPoint], atMost limit: Int) -> [MetricPoint] {
        guard points.count > limit, let first = points.first, let last = points.last else {
            return points
        }
        guard limit >= 4 else { return Array([last, first].prefix(max(limit, 0)).reversed()) }
        let buckets = (limit - 2) / 2
        let inner = points.dropFirst().dropLast()
        var result = [first]
        result.reserveCapacity(limit)
        for bucket in 0..<buckets {
            let start = inner.startIndex + inner.count * bucket / buckets
            let end = inner.startIndex + inner.count * (bucket + 1) / buckets
            result += extremes(points, start..<end)
        }
        result.append(last)
        return result
    }

    /// The lowest and the greatest of a stretch, in its order; one point if they are the same.
    private static func extremes(
        _ points: [MetricPoint], _ range: Range<Int>
    ) -> [MetricPoint] {
        guard var lowest = range.first else { return [] }
        var greatest = lowest
        for index in range {
            let value = points[index].value
            guard !value.isNaN else { continue }
            if value < points[lowest].value || points[lowest].value.isNaN { lowest = index }
            if value > points[greatest].value || points[greatest].value.isNaN { greatest = index }
        }
        if lowest == greatest { return [points[lowest]] }
        return [points[min(lowest, greatest)], points[max(lowest, greatest)]]
    }
}
