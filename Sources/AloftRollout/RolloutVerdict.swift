package import AloftDomain
import Foundation

/// What is to happen with a rollout now, and why, in a person's words.
package enum RolloutVerdict: Sendable, Hashable {
    /// Look again after this long, or when more is known.
    case hold(left: Duration)
    /// To the next step.
    case advance(reason: String)
    /// To 100 %: the last watched step is done.
    case promote(reason: String)
    /// Back to the baseline.
    case abort(reason: String)
}

/// Judges one step of a rollout.
package struct RolloutJudge: Sendable {
    package let policy: RolloutPolicy

    package init(policy: RolloutPolicy) { self.policy = policy }

    /// - Parameters:
    ///   - step: from 0, below `policy.watchedSteps`.
    ///   - elapsed: how long the step was watched, pauses left out.
    ///   - evidence: what came during the step.
    package func verdict(
        step: Int, elapsed: Duration, evidence: StepEvidence
    ) -> RolloutVerdict {
        if let reason = abortReason(evidence, isHoldOver: elapsed >= policy.hold) {
            return .abort(reason: reason)
        }
        let isLast = step + 1 >= policy.watchedSteps
        if elapsed >= policy.hold {
            let reason = doneReason(evidence)
            return isLast ? .promote(reason: reason) : .advance(reason: reason)
        }
        if policy.mayAdvanceEarly, let reason = earlyReason(evidence) {
            return isLast ? .promote(reason: reason) : .advance(reason: reason)
        }
        return .hold(left: policy.hold - elapsed)
    }

    /// What aborts a rollout also while it is paused.
    package func abortReason(_ evidence: StepEvidence, isHoldOver: Bool) -> String? {
        for condition in policy.abort {
            if let reason = abortReason(condition, evidence, isHoldOver: isHoldOver) {
                return reason
            }
        }
        return comparisons(evidence).first { $0.isWorse }?.reason
    }

    // MARK: - Conditions of the project file

    /// While the step lasts a condition must hold beyond doubt (one chance in a thousand to be
    /// wrong); at its end it is taken by the letter.
    private func abortReason(
        _ condition: CheckExpression, _ evidence: StepEvidence, isHoldOver: Bool
    ) -> String? {
        guard case .constant(let bound) = condition.bound,
            let count = failures(of: condition, bound: bound, in: evidence.candidate),
            let measured = measured(condition, in: evidence.candidate)
        else { return nil }
        let text =
            "\(condition.source): \(condition.shown(measured)) of "
            + "\(count.total) requests against \(condition.shown(bound))"
        if isHoldOver, condition.comparison.holds(measured, bound), count.isAbove {
            return text
        }
        guard count.isUpperBound else { return nil }
        let evidence = SequentialTest.logEvidenceAbove(
            bound: count.allowed, failures: count.failures, requests: count.total)
        return evidence >= Self.logBeyondDoubt ? text : nil
    }

    private static let logBeyondDoubt = log(1000.0)

    private struct ConditionCount {
        var failures: UInt64
        var total: UInt64
        /// The share of failures that the condition allows.
        var allowed: Double
        /// Whether the condition says "more than so much".
        var isUpperBound: Bool

        /// For an upper bound: more failures than allowed, as far as the counts tell for certain.
        var isAbove: Bool {
            !isUpperBound || Double(failures) > allowed * Double(total)
        }
    }

    /// A condition as a share of failures: errors, or requests slower than the bound.
    private func failures(
        of condition: CheckExpression, bound: Double, in traffic: TrafficCount
    ) -> ConditionCount? {
        let isUpperBound = condition.comparison == .greater || condition.comparison == .atLeast
        if let fraction = condition.latencyFraction {
            let (slow, total) = traffic.slower(than: bound)
            guard total > 0 else { return nil }
            return ConditionCount(
                failures: slow, total: total, allowed: 1 - fraction, isUpperBound: isUpperBound)
        }
        guard condition.metric == "error_rate", traffic.requests > 0 else { return nil }
        // `>= bound` with a share at the bound itself counts as above.
        let allowed =
            condition.comparison == .atLeast ? bound - 0.5 / Double(traffic.requests) : bound
        return ConditionCount(
            failures: traffic.errors, total: traffic.requests, allowed: max(0, allowed),
            isUpperBound: isUpperBound)
    }

    /// The value of a metric in seconds or as a fraction.
    private func measured(_ condition: CheckExpression, in traffic: TrafficCount) -> Double? {
        guard let fraction = condition.latencyFraction else { return traffic.errorRate }
        return traffic.latency.percentileMicroseconds(fraction).map { $0 / 1e6 }
    }

    // MARK: - Candidate against baseline

    /// One comparison of candidate and baseline.
    package struct Comparison: Sendable, Hashable {
        /// `errors` or `slow requests`.
        package var what: String
        package var candidateFailures: UInt64
        package var candidateTotal: UInt64
        package var baselineFailures: UInt64
        package var baselineTotal: UInt64
        /// The e-value's logarithm to base 10: 2 means that 100 to 1 speak against "no worse".
        package var log10Evidence: Double
        package var isWorse: Bool
        package var reason: String
    }

    /// The share of failures by which a candidate may exceed its baseline without harm.
    private static let harmless = 0.001

    /// Every comparison that this evidence allows. The false-alarm rate of the whole rollout is
    /// divided evenly among the two comparisons of each watched step.
    package func comparisons(_ evidence: StepEvidence) -> [Comparison] {
        guard let rate = policy.falseAlarmRate, policy.watchedSteps > 0 else { return [] }
        let needed = log(Double(2 * policy.watchedSteps) / rate)
        var found = [
            comparison(
                "errors", (evidence.candidate.errors, evidence.candidate.requests),
                (evidence.baseline.errors, evidence.baseline.requests), evidence, needed: needed)
        ]
        if let bound = evidence.slowSeconds {
            let candidate = evidence.candidate.slower(than: bound)
            let baseline = evidence.baseline.slower(than: bound)
            let milliseconds = String(format: "%.4g", bound * 1e3)
            found.append(
                comparison(
                    "requests over \(milliseconds)ms", (candidate.slow, candidate.total),
                    (baseline.slow, baseline.total), evidence, needed: needed))
        }
        return found
    }

    private func comparison(
        _ what: String, _ candidate: (failures: UInt64, total: UInt64),
        _ baseline: (failures: UInt64, total: UInt64), _ evidence: StepEvidence, needed: Double
    ) -> Comparison {
        // Where the candidate got more of the traffic than it should have, it may also fail more.
        let all = candidate.total + baseline.total
        let seen = all == 0 ? 0 : Double(candidate.total) / Double(all)
        let share = min(max(evidence.weightPercent / 100, seen), 1 - 1e-9)
        let found = SequentialTest.logEvidenceOfMoreFailures(
            candidate: candidate.failures, baseline: baseline.failures, share: share)
        let candidateRate = Self.rate(candidate)
        let baselineRate = Self.rate(baseline)
        let isWorse = found >= needed && candidateRate > baselineRate + Self.harmless
        let reason =
            "\(what): \(Self.percent(candidateRate)) of \(candidate.total) against "
            + "\(Self.percent(baselineRate)) of \(baseline.total) for the revision before"
        return Comparison(
            what: what, candidateFailures: candidate.failures, candidateTotal: candidate.total,
            baselineFailures: baseline.failures, baselineTotal: baseline.total,
            log10Evidence: found / log(10), isWorse: isWorse, reason: reason)
    }

    private static func rate(_ count: (failures: UInt64, total: UInt64)) -> Double {
        count.total == 0 ? 0 : Double(count.failures) / Double(count.total)
    }

    private static func percent(_ share: Double) -> String {
        String(format: "%.3g%%", share * 100)
    }

    // MARK: - The end of a step

    private func doneReason(_ evidence: StepEvidence) -> String {
        let traffic = evidence.candidate
        guard traffic.requests > 0 else {
            return "the hold time passed without traffic: nothing spoke against it"
        }
        var text = "\(traffic.requests) requests, \(traffic.errors) errors"
        if let p99 = traffic.latency.percentileMicroseconds(0.99) {
            text += String(format: ", latency p99 %.4gms", p99 / 1e3)
        }
        return text
    }

    /// Why the step may end before its time: each abort condition is ruled out, with the policy's
    /// false-alarm rate as the chance that one of them holds after all.
    private func earlyReason(_ evidence: StepEvidence) -> String? {
        guard !policy.abort.isEmpty else { return nil }
        let tries = Double(policy.abort.count * policy.watchedSteps)
        let needed = log(tries / (policy.falseAlarmRate ?? 0.01))
        for condition in policy.abort {
            guard case .constant(let bound) = condition.bound,
                let count = failures(of: condition, bound: bound, in: evidence.candidate),
                count.isUpperBound,
                SequentialTest.logEvidenceBelow(
                    bound: count.allowed, failures: count.failures, requests: count.total)
                    >= needed
            else { return nil }
        }
        return "ahead of time, no abort condition can hold any more: " + doneReason(evidence)
    }
}
