import Testing

@testable import AloftRollout

struct SampleSizeTests {
    /// Beside an implementation of the same formula with Python's `statistics.NormalDist`.
    @Test(arguments: [
        (0.05, 0.10, 0.8, 0.05, 0.5, [31234, 31234]),
        (0.20, -0.25, 0.9, 0.01, 0.5, [1717, 1717]),
        (0.01, 1.0, 0.8, 0.05, 0.1, [10196, 1133]),
    ])
    func `a plan has the size of the book`(
        baseline: Double, lift: Double, power: Double, alpha: Double, share: Double,
        sizes: [Int]
    ) throws {
        let size = try SampleSize(
            baseline: baseline, lift: lift, power: power, alpha: alpha, candidateShare: share)
        #expect([size.baselineRequests, size.candidateRequests] == sizes)
    }

    @Test(arguments: [
        (0, 0.1), (1, 0.1), (0.05, 0), (0.6, 0.7), (0.05, -1), (.nan, 0.1), (0.05, .infinity),
    ])
    func `a question without an answer is refused`(baseline: Double, lift: Double) {
        #expect(throws: SampleSize.Invalid.self) {
            try SampleSize(baseline: baseline, lift: lift)
        }
    }

    @Test func `a smaller lift takes more requests`() throws {
        let sizes = try [0.4, 0.2, 0.1, 0.05].map { try SampleSize(baseline: 0.1, lift: $0).total }
        #expect(sizes == sizes.sorted())
    }
}
