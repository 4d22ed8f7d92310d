package import AloftDomain

/// One run's curve as a page draws it.
package struct PlacedCurve: Sendable, Equatable {
    package var run: RunID
    /// Milliseconds since 1970.
    package var runStart: Int64
    /// Of the whole series.
    package var pointCount: Int64
    package var curve = MetricCurve()
    /// One value a point of the curve; `nil` where none were asked for.
    package var smoothed: [Double]?
}

extension TrackingQueries {
    /// As `curves`, with what a page needs beside the points. With `smoothing` each series is read whole,
    /// so that a point's smoothed value is the same whatever part is looked at.
    ///
    /// Runs without the metric are left out.
    package static func placedCurves(
        _ db: Transaction, _ runs: [RunID], key: String, steps: ClosedRange<Int64>?, total: Int,
        by axis: MetricAxis, smoothing: Double?
    ) throws -> [PlacedCurve] {
        try curves(db, runs, key: key, steps: steps, total: total, by: axis)
            .filter { !$0.curve.points.isEmpty }
            .compactMap { run, curve in
                guard
                    let row = try db.firstRow(
                        """
                        SELECT r.number, r.startTime, m.pointCount
                        FROM run r JOIN latestMetric m ON m.run = r.number AND m.key = ?
                        WHERE r.id = ?
                        """, [key, run.rawValue])
                else { return nil }
                var placed = try PlacedCurve(
                    run: run, runStart: row["startTime"], pointCount: row["pointCount"],
                    curve: curve)
                if let smoothing {
                    let whole = inOrder(
                        try allPoints(db, run: row["number"], key: key), by: axis)
                    placed.smoothed = pick(
                        curve.points, of: whole,
                        MetricSmoothing.smoothed(whole, by: axis, weight: smoothing), by: axis)
                }
                return placed
            }
    }

    /// How many points the series of these runs have together.
    package static func pointCount(
        _ db: Transaction, _ runs: [RunID], key: String
    ) throws -> Int64 {
        let text =
            Statement(
                """
                SELECT coalesce(sum(m.pointCount), 0)
                FROM run r JOIN latestMetric m ON m.run = r.number AND m.key = ? WHERE r.id IN
                """, [key.sqlValue]) + Statement(" ") + .list(runs.map(\.rawValue))
        return try db.value(text) ?? 0
    }

    /// Points in the order of an axis, each once; quick where they are so already.
    static func inOrder(_ points: [MetricPoint], by axis: MetricAxis) -> [MetricPoint] {
        guard axis == .step else { return inReadingOrder(points) }
        let isSorted = zip(points, points.dropFirst()).allSatisfy { MetricPoint.isEarlier($0, $1) }
        return isSorted ? points : MetricSummary.inStepOrder(points)
    }

    /// The values that belong to `some`, which are among `all`; both in the order of `axis`.
    private static func pick(
        _ some: [MetricPoint], of all: [MetricPoint], _ values: [Double], by axis: MetricAxis
    ) -> [Double] {
        let isBefore = axis == .step ? MetricPoint.isEarlier : MetricPoint.isReadBefore
        var index = 0
        return some.map { point in
            while index < all.count, isBefore(all[index], point) { index += 1 }
            return index < values.count ? values[index] : .nan
        }
    }
}
