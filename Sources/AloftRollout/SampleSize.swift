import Foundation

/// How many requests an A/B experiment takes.
///
/// For two shares p1 and p2 compared at the level alpha, two-sided, with this power, and r times as
/// many observations of the second as of the first, the first needs
///
///     n = (z(1-alpha/2) sqrt((r+1) q (1-q)) + z(power) sqrt(r p1 (1-p1) + p2 (1-p2)))^2
///         / (r (p2-p1)^2),   q = (p1 + r p2) / (r + 1)
///
/// (Fleiss, Levin and Paik, "Statistical Methods for Rates and Proportions", 3rd edition, Wiley
/// 2003, sections 4.2 and 4.5, without the correction for continuity.)
package struct SampleSize: Sendable, Hashable {
    /// What is wrong with a question, as a sentence.
    package struct Invalid: Error, Hashable { package let message: String }

    package let baselineRequests: Int
    package let candidateRequests: Int

    package var total: Int { baselineRequests + candidateRequests }

    /// - Parameters:
    ///   - baseline: the share to be expected of the present revision, in (0, 1).
    ///   - lift: how much more the candidate should have to be told apart, relative: 0.1 is 10 % more,
    ///     negative for less.
    ///   - power: the chance to see it if it is there, in (0.5, 1).
    ///   - alpha: the chance to see one that is not there, in (0, 0.5).
    ///   - candidateShare: the candidate's part of the requests, in (0, 1).
    package init(
        baseline: Double, lift: Double, power: Double = 0.8, alpha: Double = 0.05,
        candidateShare: Double = 0.5
    ) throws(Invalid) {
        func require(_ holds: Bool, _ message: String) throws(Invalid) {
            if !holds { throw Invalid(message: message) }
        }
        try require(baseline > 0 && baseline < 1, "the baseline is a share between 0 and 1")
        try require(lift != 0 && lift.isFinite, "the lift is some percentage other than 0%")
        let other = baseline * (1 + lift)
        try require(
            other > 0 && other < 1,
            "a lift of \(lift * 100)% on \(baseline) gives \(other), which is no share")
        try require(power > 0.5 && power < 1, "the power lies between 0.5 and 1")
        try require(alpha > 0 && alpha < 0.5, "alpha lies between 0 and 0.5")
        try require(
            candidateShare > 0 && candidateShare < 1, "the split lies between 0% and 100%")
        let ratio = candidateShare / (1 - candidateShare)
        let pooled = (baseline + ratio * other) / (ratio + 1)
        let underNone = ((ratio + 1) * pooled * (1 - pooled)).squareRoot()
        let underLift = (ratio * baseline * (1 - baseline) + other * (1 - other)).squareRoot()
        let spread =
            Normal.quantile(1 - alpha / 2) * underNone + Normal.quantile(power) * underLift
        let first = spread * spread / (ratio * (other - baseline) * (other - baseline))
        try require(first * (1 + ratio) < 1e15, "that takes more requests than anybody has")
        baselineRequests = Int(first.rounded(.up))
        candidateRequests = Int((first * ratio).rounded(.up))
    }
}

package enum Normal {
    /// The standard normal distribution's quantile of a probability in (0, 1), by bisection on the
    /// complementary error function: exact to about 1e-12.
    package static func quantile(_ probability: Double) -> Double {
        var (low, high) = (-40.0, 40.0)
        for _ in 0..<200 {
            let middle = (low + high) / 2
            if 0.5 * erfc(-middle / 2.0.squareRoot()) < probability {
                low = middle
            } else {
                high = middle
            }
        }
        return (low + high) / 2
    }
}
