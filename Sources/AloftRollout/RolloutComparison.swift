import AloftDomain
import Foundation

/// One comparison of candidate and baseline.
package struct RolloutComparison: Sendable, Hashable {
    /// `errors`, `answers over 20ms` or `scores`.
    package var what: String
    /// The logarithm to base 10 of what speaks against "no worse": 2 means 100 to 1.
    package var log10Evidence: Double
    /// From which evidence on the rollout is aborted.
    package var log10Needed: Double
    /// Beyond doubt, and by more than what does no harm.
    package var isWorse: Bool
    /// Not beyond doubt, but enough that the step is not left yet.
    package var isInDoubt: Bool
    /// False where both answer what cannot be compared; that speaks neither for nor against.
    package var isCompared = true
    package var reason: String
}

extension RolloutJudge {
    /// The share of failures by which a candidate may exceed its baseline without harm.
    private static let harmless = 0.001
    /// A step is not left while there are so many to one against the candidate.
    private static let doubt = 3.0
    /// How the rate of false alarms is shared out.
    private static let errorsShare = 0.5
    private static let slowShare = 0.25
    private static let scoresShare = 0.25

    /// Every comparison that this evidence allows, each at its part of the false-alarm rate of the
    /// whole rollout. Failures are one bet over all steps; scores are compared within a step, since
    /// what is asked may change between steps.
    ///
    /// - Parameter earlier: what came in the steps before.
    package func comparisons(
        _ evidence: StepEvidence, earlier: [StepEvidence] = []
    ) -> [RolloutComparison] {
        guard let rate = policy.falseAlarmRate, policy.watchedSteps > 0 else { return [] }
        let steps = earlier + [evidence]
        var found = [
            compare(
                "errors",
                steps.map { step in
                    Failures(
                        candidate: (step.candidate.failures, step.candidate.asked),
                        baseline: (step.baseline.failures, step.baseline.asked), step)
                }, needed: -log(rate * Self.errorsShare),
                note: Self.contestedText(
                    steps.reduce(0) { $0.addingSaturated($1.candidate.contested) }))
        ]
        if let bound = evidence.slowSeconds {
            let milliseconds = String(format: "%.4g", bound * 1e3)
            found.append(
                compare(
                    "answers over \(milliseconds)ms",
                    steps.compactMap { step in
                        step.slowSeconds.map {
                            Failures(
                                candidate: step.candidate.slower(than: $0),
                                baseline: step.baseline.slower(than: $0), step)
                        }
                    }, needed: -log(rate * Self.slowShare)))
        }
        if let tolerance = policy.scoreShift { found += scores(evidence, tolerance, rate) }
        return found
    }

    private struct Failures {
        var candidate: (count: UInt64, of: UInt64)
        var baseline: (count: UInt64, of: UInt64)
        /// The candidate's share of the traffic.
        var share: Double

        init(
            candidate: (UInt64, UInt64), baseline: (UInt64, UInt64), _ step: StepEvidence
        ) {
            self.candidate = candidate
            self.baseline = baseline
            // Where the candidate got more of the traffic than it should have, it may also fail more.
            let all = candidate.1 + baseline.1
            let seen = all == 0 ? 0 : Double(candidate.1) / Double(all)
            share = min(max(step.weightPercent / 100, seen), 1 - 1e-9)
        }

        /// How many of the candidate's would have failed at the baseline's rate.
        var expected: Double {
            baseline.of == 0
                ? 0 : Double(candidate.of) * Double(baseline.count) / Double(baseline.of)
        }
    }

    private func compare(
        _ what: String, _ steps: [Failures], needed: Double, note: String = ""
    ) -> RolloutComparison {
        let found = SequentialTest.logEvidenceOfMoreFailures(
            steps.map {
                .init(candidate: $0.candidate.count, baseline: $0.baseline.count, share: $0.share)
            })
        let count = steps.reduce(UInt64(0)) { $0 + $1.candidate.count }
        let total = steps.reduce(UInt64(0)) { $0 + $1.candidate.of }
        let expected = steps.reduce(0) { $0 + $1.expected }
        let baselineTotal = steps.reduce(UInt64(0)) { $0 + $1.baseline.of }
        let rate = total == 0 ? 0 : Double(count) / Double(total)
        let baselineRate = total == 0 ? 0 : expected / Double(total)
        let isMore = rate > baselineRate + Self.harmless
        // Of several steps the counts are sums, which those of one step would seem to contradict.
        let place = steps.count > 1 ? " in \(steps.count) steps" : ""
        let reason =
            "\(what)\(place): \(Self.percent(rate)) of \(total) against "
            + "\(Self.percent(baselineRate)) of \(baselineTotal) for the revision before" + note
        return RolloutComparison(
            what: what, log10Evidence: found / log(10), log10Needed: needed / log(10),
            isWorse: isMore && found >= needed, isInDoubt: isMore && found >= log(Self.doubt),
            reason: reason)
    }

    /// One for each kind of score that both answer; or, where both do not answer the same kinds, why
    /// nothing is compared: what only one of them says has another meaning or comes of other requests.
    private func scores(
        _ evidence: StepEvidence, _ tolerance: Double, _ rate: Double
    ) -> [RolloutComparison] {
        let (candidate, baseline) = (evidence.candidate.scores, evidence.baseline.scores)
        guard candidate.total > 0, baseline.total > 0 else { return [] }
        var pairs: [(AnswerKind, AnswerKind)] = []
        var rest = baseline.kinds
        for kind in candidate.kinds {
            guard let place = rest.firstIndex(where: { $0.isLike(kind) }) else {
                return [notComparable(candidate, baseline)]
            }
            pairs.append((kind, rest.remove(at: place)))
        }
        guard rest.isEmpty else { return [notComparable(candidate, baseline)] }
        let scored = pairs.filter { $0.0.form != .texts }
        return scored.compactMap { kinds in
            guard let mine = candidate.histograms[kinds.0],
                let theirs = baseline.histograms[kinds.1]
            else { return nil }
            return compare(
                scored.count > 1 ? "scores, \(kinds.0.text)" : "scores", mine, theirs, tolerance,
                rate / Double(scored.count))
        }
    }

    private func notComparable(
        _ candidate: AnswerScores, _ baseline: AnswerScores
    ) -> RolloutComparison {
        func words(_ scores: AnswerScores) -> String {
            var texts: [String] = []
            for text in scores.kinds.map(\.text) where !texts.contains(text) { texts.append(text) }
            return texts.joined(separator: " and ")
        }
        let (mine, theirs) = (words(candidate), words(baseline))
        return RolloutComparison(
            what: "scores", log10Evidence: 0, log10Needed: 0, isWorse: false, isInDoubt: false,
            isCompared: false,
            reason: "scores are not comparable: \(names.baseline) answers \(theirs), "
                + "\(names.candidate) \(mine)")
    }

    private func compare(
        _ what: String, _ candidate: ScoreHistogram, _ baseline: ScoreHistogram,
        _ tolerance: Double, _ rate: Double
    ) -> RolloutComparison? {
        guard let distance = candidate.distance(to: baseline) else { return nil }
        let needed = -log(rate * Self.scoresShare / Double(policy.watchedSteps))
        let found = SequentialTest.logEvidenceOfShift(
            distance: distance, candidate: candidate.total, baseline: baseline.total,
            tolerance: tolerance)
        let medians = [candidate, baseline].map {
            String(format: "%.3g", $0.quantile(0.5) ?? .nan)
        }
        let reason =
            "\(what): \(Self.percent(distance)) apart (score_shift allows "
            + "\(Self.percent(tolerance))), median "
            + "\(medians[0]) of \(candidate.total) against \(medians[1]) of \(baseline.total) for "
            + "the revision before"
        return RolloutComparison(
            what: what, log10Evidence: found / log(10), log10Needed: needed / log(10),
            isWorse: found >= needed, isInDoubt: found >= log(Self.doubt), reason: reason)
    }

    static func percent(_ share: Double) -> String { String(format: "%.3g%%", share * 100) }
}
