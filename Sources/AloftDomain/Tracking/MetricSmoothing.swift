import Foundation

/// What the points of a series are put in the order of.
package enum MetricAxis: Sendable, Equatable {
    case step
    /// By when they were logged: of a run that went back to an earlier step each step is there twice.
    case time

    /// Where a point stands.
    package func place(of point: MetricPoint) -> Double {
        self == .step ? Double(point.step) : Double(point.timestamp)
    }
}

/// Exponential smoothing that goes by distance, not by how many points there are: the weight of an earlier
/// point falls by `weight` for each unit between it and the point that is smoothed. The unit is the mean
/// distance of neighbours, and in long series a thousandth of the whole. A point's own weight is 1, and what
/// is missing before the first counts for nothing.
///
/// What is no number, or too great to be one, neither counts nor is smoothed. The web interface smooths short
/// series by the same rule (`web/src/components/curves/smoothing.ts`).
package enum MetricSmoothing {
    /// Units in the whole series at most.
    package static let mostUnits = 1000

    /// One value a point; `points` are in the order of `axis`.
    ///
    /// - Parameter weight: 0 up to but not 1.
    package static func smoothed(
        _ points: [MetricPoint], by axis: MetricAxis, weight: Double
    ) -> [Double] {
        guard let first = points.first, let last = points.last else { return [] }
        let units = Double(min(points.count - 1, mostUnits))
        let unit = (axis.place(of: last) - axis.place(of: first)) / max(units, 1)
        var (sum, total) = (0.0, 0.0)
        var before = axis.place(of: first)
        var known = (distance: 0.0, factor: 1.0)
        return points.map { point in
            guard isNumber(point.value) else { return .nan }
            let place = axis.place(of: point)
            let distance = place - before
            if distance != known.distance {
                known = (distance, unit > 0 ? pow(weight, distance / unit) : 1)
            }
            before = place
            sum = sum * known.factor + point.value
            total = total * known.factor + 1
            return sum / total
        }
    }

    /// Infinities are stored as the greatest numbers that there are.
    package static func isNumber(_ value: Double) -> Bool {
        value.isFinite && value.magnitude < .greatestFiniteMagnitude
    }
}
