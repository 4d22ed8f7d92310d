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
    /// False where both answer what cannot be compared.
    package var isCompared: Bool
}

extension RolloutNames {
    /// By their versions; by their models too where those differ, and by their revisions where one
    /// version is rolled out against itself.
    package init(_ db: Transaction, of revision: RevisionRecord, _ rollout: RolloutRecord) throws {
        self.init()
        guard let before = try RevisionQueries.find(db, rollout.baseline) else { return }
        let (mine, theirs) = (revision.version, before.version)
        if mine == theirs {
            (candidate, baseline) = ("revision \(revision.number)", "revision \(before.number)")
        } else if mine.model.isSame(as: theirs.model) {
            (candidate, baseline) = ("version \(mine.version)", "version \(theirs.version)")
        } else {
            candidate = "\(mine.model)/\(mine.version)"
            baseline = "\(theirs.model)/\(theirs.version)"
        }
    }
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
        policy: RolloutPolicy, names: RolloutNames = RolloutNames(), earlier: [RolloutStepRecord]
    ) -> [StepComparison] {
        let judge = RolloutJudge(policy: policy, names: names)
        return judge.comparisons(evidence, earlier: earlier.map(\.evidence)).map { found in
            StepComparison(
                what: found.what, reason: found.reason,
                log10Evidence: found.log10Evidence.isFinite ? found.log10Evidence : 999,
                log10Needed: found.log10Needed, isWorse: found.isWorse,
                isCompared: found.isCompared)
        }
    }
}
