import AloftDomain

/// What a step's sample could have shown.
extension RolloutJudge {
    /// From how many failed requests on, of those that came, the step would have been aborted; in a
    /// person's words. `nil` where it is aborted however few fail.
    ///
    /// - Parameter earlier: what came in the steps before.
    package func sensitivity(
        _ evidence: StepEvidence, earlier: [StepEvidence] = []
    ) -> String? {
        let requests = evidence.candidate.requests
        guard requests > 0 else { return "no request came, so nothing could be shown" }
        guard !aborts(evidence, earlier, failures: 0) else { return nil }
        guard aborts(evidence, earlier, failures: requests) else {
            return "\(requests) requests are too few: had all of them failed, that would not have "
                + "aborted it"
        }
        var (few, enough): (UInt64, UInt64) = (0, requests)
        while enough - few > 1 {
            let middle = few + (enough - few) / 2
            if aborts(evidence, earlier, failures: middle) {
                enough = middle
            } else {
                few = middle
            }
        }
        let share = Self.percent(Double(enough) / Double(requests))
        return "of \(requests) requests, \(enough) that fail (\(share)) abort it"
    }

    /// Whether the step would be aborted if so many of the candidate's requests had failed. Scores
    /// are left out: they say nothing of failures.
    private func aborts(
        _ evidence: StepEvidence, _ earlier: [StepEvidence], failures: UInt64
    ) -> Bool {
        var evidence = evidence
        evidence.candidate.errors = failures
        evidence.candidate.scores = AnswerScores()
        return abortReason(
            evidence, comparisons(evidence, earlier: earlier), isHoldOver: !policy.isExperiment)
            != nil
    }
}
