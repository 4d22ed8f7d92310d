package import AloftDomain
import AloftRollout
package import AloftStore

/// Candidate against baseline in one step, to be shown.
package struct StepComparison: Sendable, Equatable {
    package var what: String
    package var reason: String
    package var log10Evidence: Double
    package var log10Needed: Double
    package var isWorse: Bool
}

extension RolloutStepRecord {
    var evidence: StepEvidence {
        StepEvidence(
            candidate: traffic.candidate, baseline: traffic.baseline,
            weightPercent: weightPercent, slowSeconds: slowSeconds)
    }

    /// What the step's sample could have shown, in a person's words; see `RolloutJudge.sensitivity`.
    ///
    /// - Parameter earlier: the steps before it.
    package func sensitivity(policy: RolloutPolicy, earlier: [RolloutStepRecord]) -> String? {
        RolloutJudge(policy: policy).sensitivity(evidence, earlier: earlier.map(\.evidence))
    }

    /// The comparisons as the judge of this rollout makes them from the step's traffic.
    ///
    /// - Parameter earlier: the steps before it.
    package func comparisons(
        policy: RolloutPolicy, earlier: [RolloutStepRecord]
    ) -> [StepComparison] {
        RolloutJudge(policy: policy).comparisons(evidence, earlier: earlier.map(\.evidence)).map {
            found in
            StepComparison(
                what: found.what, reason: found.reason,
                log10Evidence: found.log10Evidence.isFinite ? found.log10Evidence : 999,
                log10Needed: found.log10Needed, isWorse: found.isWorse)
        }
    }
}
