import Foundation

/// Tests that may be looked at any number of times: each gives an e-value, a non-negative number
/// whose expectation under the hypothesis is at most 1 at every look, so that it ever reaches
/// 1/alpha with probability at most alpha (Ville's inequality; Ramdas, Grünwald, Vovk and Shafer,
/// "Game-theoretic statistics and safe anytime-valid inference", Statistical Science 38(4), 2023).
///
/// Each is a mixture of likelihood ratios over a fixed grid of alternatives. For a one-sided
/// hypothesis the ratio against its border is a supermartingale inside of it too.
package enum SequentialTest {
    /// Failures of both revisions while the candidate had one share of the traffic.
    package struct Split: Sendable, Hashable {
        package var candidate: UInt64
        package var baseline: UInt64
        /// The candidate's share of the requests, in (0, 1).
        package var share: Double

        package init(candidate: UInt64, baseline: UInt64, share: Double) {
            self.candidate = candidate
            self.baseline = baseline
            self.share = share
        }
    }

    /// Against "the candidate fails no more often than the baseline".
    ///
    /// Requests are given to the candidate by chance with a known share, whatever comes of them. If
    /// it fails no more often, each failure among both is the candidate's with probability at most
    /// that share, however the common rate of failures moves over time. The test counts only whose
    /// the failures are (as in Lindon and Malek, "Anytime-valid inference for multinomial count
    /// data", NeurIPS 2022), so bursts that hit both do not alarm it. The steps of a rollout are one
    /// bet that goes on at another share, so none of what earlier steps saw is lost.
    ///
    /// - Returns: the natural logarithm of the e-value.
    package static func logEvidenceOfMoreFailures(_ splits: [Split]) -> Double {
        logMean(
            worse.map { ratio, weight in
                let values = splits.map { split in
                    let odds = split.share * ratio / (split.share * ratio + 1 - split.share)
                    return Double(split.candidate) * log(odds / split.share)
                        + Double(split.baseline) * log((1 - odds) / (1 - split.share))
                }
                return (values.reduce(0, +), weight)
            })
    }

    /// Against "the candidate fails at least `ratio` times as often as the baseline".
    ///
    /// - Returns: the natural logarithm of the e-value.
    package static func logEvidenceOfFewerFailures(_ splits: [Split], than ratio: Double) -> Double
    {
        logMean(
            fewer.map { factor, weight in
                let values = splits.map { split in
                    let border = split.share * ratio / (split.share * ratio + 1 - split.share)
                    let scaled = split.share * ratio * factor
                    let odds = scaled / (scaled + 1 - split.share)
                    return Double(split.candidate) * log(odds / border)
                        + Double(split.baseline) * log((1 - odds) / (1 - border))
                }
                return (values.reduce(0, +), weight)
            })
    }

    /// Against "of all requests, at most the share `bound` fails".
    ///
    /// - Returns: the natural logarithm of the e-value.
    package static func logEvidenceAbove(
        bound: Double, failures: UInt64, requests: UInt64
    ) -> Double {
        guard bound < 1 else { return 0 }
        guard bound > 0 else { return failures > 0 ? .infinity : 0 }
        return logEvidence(
            failures: failures, requests: requests, border: bound,
            alternatives: even.map { odds(bound, times: $0) })
    }

    /// Against "of all requests, at least the share `bound` fails".
    package static func logEvidenceBelow(
        bound: Double, failures: UInt64, requests: UInt64
    ) -> Double {
        guard bound > 0, bound < 1 else { return 0 }
        return logEvidence(
            failures: failures, requests: requests, border: bound,
            alternatives: even.map { odds(bound, times: 1 / $0) })
    }

    /// Against "the distributions of both scores are at most `tolerance` apart", by Kolmogorov and
    /// Smirnov's distance: a band about each distribution function that holds at every number of
    /// observations at once (Howard and Ramdas, "Sequential estimation of quantiles with applications
    /// to A/B testing and best-arm identification", Bernoulli 28(3), 2022, theorem 2).
    ///
    /// - Parameters:
    ///   - distance: as observed, 0...1.
    ///   - candidate: how many scores the candidate gave; `baseline`: the baseline.
    /// - Returns: the natural logarithm of 1/alpha for the smallest alpha at which both bands together
    ///   still show more than `tolerance`; 0 where none does.
    package static func logEvidenceOfShift(
        distance: Double, candidate: UInt64, baseline: UInt64, tolerance: Double
    ) -> Double {
        guard candidate > 0, baseline > 0 else { return 0 }
        let excess = { (level: Double) in
            distance - tolerance - band(candidate, level) - band(baseline, level)
        }
        guard excess(0) > 0 else { return 0 }
        var (low, high) = (0.0, 1000.0)
        for _ in 0..<60 {
            let middle = (low + high) / 2
            if excess(middle) > 0 { low = middle } else { high = middle }
        }
        return low
    }

    /// The half width of the band about one distribution function, where both may miss with a
    /// probability of `exp(-level)` together.
    private static func band(_ count: UInt64, _ level: Double) -> Double {
        let count = Double(count)
        let logs = log(log(M_E * count)) + 0.8 * (log(1612.0 * 2) + level)
        return 0.85 * (max(0, logs) / count).squareRoot()
    }

    /// How many times worse the alternatives are, with what is bet on each. Twice to five times is
    /// what takes many requests to tell, so most is bet there; what is far worse shows by itself.
    private static let worse: [(ratio: Double, weight: Double)] = [
        (1.5, 0.12), (2, 0.28), (3, 0.25), (4.5, 0.15), (8, 0.08), (20, 0.05), (60, 0.04),
        (1000, 0.03),
    ]

    private static let fewer: [(factor: Double, weight: Double)] = [
        (0.5, 0.5), (0.35, 0.2), (0.2, 0.2), (0.05, 0.1),
    ]

    private static let even = [1.25, 1.5, 2, 3, 5, 8, 13, 21, 55, 150, 1000]

    /// The probability whose odds are `ratio` times those of `probability`.
    private static func odds(_ probability: Double, times ratio: Double) -> Double {
        probability * ratio / (probability * ratio + 1 - probability)
    }

    private static func logEvidence(
        failures: UInt64, requests: UInt64, border: Double, alternatives: [Double]
    ) -> Double {
        let bad = Double(failures)
        let good = Double(requests - min(failures, requests))
        let weight = 1 / Double(alternatives.count)
        return logMean(
            alternatives.map {
                (bad * log($0 / border) + good * log((1 - $0) / (1 - border)), weight)
            })
    }

    /// log(sum(weight * exp(value))), without overflow; the weights add up to 1.
    private static func logMean(_ values: [(value: Double, weight: Double)]) -> Double {
        let largest = values.map(\.value).max() ?? 0
        guard largest.isFinite else { return largest }
        return largest + log(values.reduce(0) { $0 + $1.weight * exp($1.value - largest) })
    }
}
