import Foundation
import Testing

@testable import AloftDomain

@Suite struct MetricSmoothingTests {
    private func points(_ values: [Double], every step: Int64 = 1) -> [MetricPoint] {
        values.enumerated().map {
            MetricPoint(value: $1, timestamp: Int64($0) * 100, step: Int64($0) * step)
        }
    }

    @Test func `evenly spaced points are smoothed one by one`() {
        let smoothed = MetricSmoothing.smoothed(points([1, 0, 0]), by: .step, weight: 0.5)
        #expect(abs(smoothed[1] - 0.5 / 1.5) < 1e-12)
        #expect(abs(smoothed[2] - 0.25 / 1.75) < 1e-12)
    }

    @Test func `a gap counts as what would have stood in it`() {
        let wide = [(0, 4.0), (1, 2.0), (5, 8.0)].map { (step: Int64, value: Double) in
            MetricPoint(value: value, timestamp: 0, step: step)
        }
        let unit = 5.0 / 2
        let smoothed = MetricSmoothing.smoothed(wide, by: .step, weight: 0.9)
        let (near, far) = (pow(0.9, 4 / unit), pow(0.9, 5 / unit))
        #expect(abs(smoothed[2] - (8 + near * 2 + far * 4) / (1 + near + far)) < 1e-12)
    }

    @Test func `what is no number neither counts nor is smoothed`() {
        let values = [1, Double.nan, .infinity, 3]
        let smoothed = MetricSmoothing.smoothed(points(values), by: .time, weight: 0.5)
        #expect(smoothed[1].isNaN && smoothed[2].isNaN)
        #expect(abs(smoothed[3] - (3 + 0.125) / 1.125) < 1e-12)
    }

    @Test func `points at one place are averaged, and no weight changes nothing`() {
        let same = [2.0, 4.0].map { MetricPoint(value: $0, timestamp: 5, step: 5) }
        #expect(MetricSmoothing.smoothed(same, by: .step, weight: 0.9)[1] == 3)
        #expect(MetricSmoothing.smoothed(points([1, 5, 2]), by: .step, weight: 0) == [1, 5, 2])
        #expect(MetricSmoothing.smoothed([], by: .step, weight: 0.5).isEmpty)
    }
}
