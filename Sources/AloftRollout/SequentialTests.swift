import Foundation

/// Tests that may be looked at any number of times: each gives an e-value, a non-negative number
/// whose expectation under the hypothesis is at most 1 at every look, so that it ever reaches
/// 1/alpha with probability at most alpha (Ville's inequality; Ramdas, Grünwald, Vovk and Shafer,
/// "Game-theoretic statistics and safe anytime-valid inference", Statistical Science 38(4), 2023).
///
/// Each is a mixture of likelihood ratios over a fixed grid of alternatives. For a one-sided
/// hypothesis the ratio against its border is a supermartingale inside of it too.
package enum SequentialTest {
    /// Against "the candidate fails no more often than the baseline".
    ///
    /// Requests are given to the candidate by chance with probability `share`, whatever comes of
    /// them. If it fails no more often, each failure among both is the candidate's with probability
    /// at most `share`, however the common rate of failures moves over time. The test counts only
    /// whose the failures are (as in Lindon and Malek, "Anytime-valid inference for multinomial count
    /// data", NeurIPS 2022), so bursts that hit both do not alarm it.
    ///
    /// - Parameters:
    ///   - candidate: failures of the candidate so far.
    ///   - baseline: failures of the baseline so far.
    ///   - share: in (0, 1).
    /// - Returns: the natural logarithm of the e-value.
    package static func logEvidenceOfMoreFailures(
        candidate: UInt64, baseline: UInt64, share: Double
    ) -> Double {
        let mine = Double(candidate)
        let theirs = Double(baseline)
        return logMean(
            worseRatios.map { ratio in
                let odds = share * ratio / (share * ratio + 1 - share)
                return mine * log(odds / share) + theirs * log((1 - odds) / (1 - share))
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
            alternatives: worseRatios.map { odds(bound, times: $0) })
    }

    /// Against "of all requests, at least the share `bound` fails".
    package static func logEvidenceBelow(
        bound: Double, failures: UInt64, requests: UInt64
    ) -> Double {
        guard bound > 0, bound < 1 else { return 0 }
        return logEvidence(
            failures: failures, requests: requests, border: bound,
            alternatives: worseRatios.map { odds(bound, times: 1 / $0) })
    }

    /// How many times worse the alternatives are. Few requests show a large ratio, many a small one.
    private static let worseRatios = [1.25, 1.5, 2, 3, 5, 8, 13, 21, 55, 150, 1000]

    /// The probability whose odds are `ratio` times those of `probability`.
    private static func odds(_ probability: Double, times ratio: Double) -> Double {
        probability * ratio / (probability * ratio + 1 - probability)
    }

    private static func logEvidence(
        failures: UInt64, requests: UInt64, border: Double, alternatives: [Double]
    ) -> Double {
        let bad = Double(failures)
        let good = Double(requests - min(failures, requests))
        return logMean(
            alternatives.map { bad * log($0 / border) + good * log((1 - $0) / (1 - border)) })
    }

    /// log(mean(exp(values))), without overflow.
    private static func logMean(_ values: [Double]) -> Double {
        let largest = values.max() ?? 0
        guard largest.isFinite else { return largest }
        let sum = values.reduce(0) { $0 + exp($1 - largest) }
        return largest + log(sum / Double(values.count))
    }
}
