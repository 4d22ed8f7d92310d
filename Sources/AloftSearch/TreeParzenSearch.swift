package import AloftDomain
import Foundation

/// The tree-structured Parzen estimator: fits one density to the best trials and one to the others,
/// a dimension at a time, and tries the point where their ratio is greatest. Bergstra, Bardenet,
/// Bengio and Kégl, "Algorithms for hyper-parameter optimization", NIPS 2011.
///
/// A trial which still runs or has failed counts among the others, so that trials in parallel keep
/// apart; one stopped early counts behind all that finished.
package struct TreeParzenSearch: SearchMethod {
    /// Trials before the first estimate.
    private static let startup = 10
    private static let candidates = 24
    /// At most this share of the trials, and this many, are the best.
    private static let bestShare = 0.1
    private static let mostBest = 25

    private let space: SearchSpace
    private let direction: SweepDefinition.Objective.Direction
    private var chance: SplitMix64

    package init(
        space: SearchSpace, direction: SweepDefinition.Objective.Direction, seed: UInt64
    ) {
        self.space = space
        self.direction = direction
        chance = SplitMix64(seed: seed)
    }

    package mutating func suggest(after history: [Observation]) -> [ParameterValue]? {
        let (best, others) = split(history)
        guard !best.isEmpty else {
            return space.freshPoint(after: history) { space.randomPoint(using: &chance) }
        }
        let columns = space.dimensions.indices.map { column in
            (best: best.map { $0[column] }, others: others.map { $0[column] })
        }
        return space.freshPoint(after: history) {
            zip(space.dimensions, columns).map { dimension, column in
                Self.bestCandidate(dimension.domain, column.best, column.others, using: &chance)
            }
        }
    }

    /// The points of the best trials and of all others, oldest first; no best ones before there are
    /// enough trials with a value.
    private func split(
        _ history: [Observation]
    ) -> (best: [[ParameterValue]], others: [[ParameterValue]]) {
        let sign = direction == .minimize ? 1.0 : -1.0
        // Smaller is better: finished trials by value, then those stopped early, the longest first.
        let ranked = history.enumerated().compactMap {
            number, trial -> (key: [Double], number: Int)? in
            switch trial.outcome {
            case .finished(let value) where value.isFinite: ([0, 0, sign * value], number)
            case .stopped(let value, let resource) where value.isFinite:
                ([1, -Double(resource), sign * value], number)
            case .finished, .stopped, .failed, .pending: nil
            }
        }
        guard ranked.count >= Self.startup else { return ([], []) }
        let count = min(Int((Self.bestShare * Double(ranked.count)).rounded(.up)), Self.mostBest)
        let best = Set(
            ranked.sorted { left, right in
                left.key == right.key
                    ? left.number < right.number : left.key.lexicographicallyPrecedes(right.key)
            }.prefix(count).map(\.number))
        let numbered = history.enumerated()
        return (
            numbered.filter { best.contains($0.offset) }.map(\.element.point),
            numbered.filter { !best.contains($0.offset) }.map(\.element.point)
        )
    }

    private static func bestCandidate(
        _ domain: SearchDimension.Domain, _ best: [ParameterValue], _ others: [ParameterValue],
        using chance: inout SplitMix64
    ) -> ParameterValue {
        guard let axis = Axis(domain) else {
            guard case .choice(let values) = domain else { return .int(0) }
            return bestCandidate(
                CategoricalEstimate(values, best), CategoricalEstimate(values, others),
                using: &chance)
        }
        return bestCandidate(
            ParzenEstimate(axis, best), ParzenEstimate(axis, others), using: &chance)
    }

    private static func bestCandidate(
        _ good: some DensityEstimate, _ bad: some DensityEstimate, using chance: inout SplitMix64
    ) -> ParameterValue {
        var chosen = good.draw(using: &chance)
        var highest = good.logDensity(at: chosen) - bad.logDensity(at: chosen)
        for _ in 1..<candidates {
            let candidate = good.draw(using: &chance)
            let ratio = good.logDensity(at: candidate) - bad.logDensity(at: candidate)
            if ratio > highest { (chosen, highest) = (candidate, ratio) }
        }
        return chosen
    }
}
