package import AloftDomain
import Foundation

/// What is to happen with a rollout now, and why, in a person's words.
package enum RolloutVerdict: Sendable, Hashable {
    /// Look again after this long, or when more is known.
    case hold(left: Duration)
    /// The time is over, and too few requests came to say anything.
    case awaitTraffic(seen: UInt64, needed: Int)
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
    let names: RolloutNames

    package init(policy: RolloutPolicy, names: RolloutNames = RolloutNames()) {
        self.policy = policy
        self.names = names
    }

    /// - Parameters:
    ///   - step: from 0, below `policy.watchedSteps`.
    ///   - elapsed: how long the step was watched, pauses left out.
    ///   - evidence: what came during the step.
    ///   - earlier: what came in the steps before it.
    package func verdict(
        step: Int, elapsed: Duration, evidence: StepEvidence, earlier: [StepEvidence] = []
    ) -> RolloutVerdict {
        let isHoldOver = !policy.isExperiment && elapsed >= policy.hold
        let comparisons = comparisons(evidence, earlier: earlier)
        if let reason = abortReason(evidence, comparisons, isHoldOver: isHoldOver) {
            return .abort(reason: reason)
        }
        guard !policy.isExperiment else { return .hold(left: .seconds(60)) }
        let isLast = step + 1 >= policy.watchedSteps
        if isHoldOver {
            // The tests hold at any number of requests, so going on until it is clear is no peeking.
            let longest = policy.hold * Self.longestHold
            if elapsed < longest, comparisons.contains(where: \.isInDoubt) {
                return .hold(left: longest - elapsed)
            }
            if !hasEnough(evidence) {
                return .awaitTraffic(seen: evidence.candidate.requests, needed: policy.atLeast)
            }
            let reason = doneReason(evidence) + Self.remark(comparisons)
            return isLast ? .promote(reason: reason) : .advance(reason: reason)
        }
        if policy.mayAdvanceEarly, hasEnough(evidence), !comparisons.contains(where: \.isInDoubt),
            let early = earlyReason(evidence, earlier)
        {
            let reason = early + Self.remark(comparisons)
            return isLast ? .promote(reason: reason) : .advance(reason: reason)
        }
        return .hold(left: policy.hold - elapsed)
    }

    /// What could not be compared; empty where all could.
    private static func remark(_ comparisons: [RolloutComparison]) -> String {
        comparisons.filter { !$0.isCompared }.map { "; \($0.reason)" }.joined()
    }

    /// The same as a sentence's end, of a step under way.
    package func remark(_ evidence: StepEvidence) -> String {
        Self.remark(comparisons(evidence))
    }

    private func hasEnough(_ evidence: StepEvidence) -> Bool {
        evidence.candidate.requests >= UInt64(clamping: policy.atLeast)
    }

    /// A step that is in doubt may last so many times its hold.
    private static let longestHold = 4

    /// What aborts a rollout also while it is paused.
    package func abortReason(
        _ evidence: StepEvidence, earlier: [StepEvidence] = []
    ) -> String? {
        abortReason(evidence, comparisons(evidence, earlier: earlier), isHoldOver: false)
    }

    func abortReason(
        _ evidence: StepEvidence, _ comparisons: [RolloutComparison], isHoldOver: Bool
    ) -> String? {
        for condition in policy.abort {
            if let reason = abortReason(condition, evidence, isHoldOver: isHoldOver) {
                return reason
            }
        }
        return comparisons.first { $0.isWorse }?.reason
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
            + (condition.latencyFraction == nil
                ? Self.contestedText(evidence.candidate.contested) : "")
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
        guard condition.metric == "error_rate", traffic.asked > 0 else { return nil }
        // `>= bound` with a share at the bound itself counts as above.
        let allowed =
            condition.comparison == .atLeast ? bound - 0.5 / Double(traffic.asked) : bound
        return ConditionCount(
            failures: traffic.failures, total: traffic.asked, allowed: max(0, allowed),
            isUpperBound: isUpperBound)
    }

    /// The value of a metric in seconds or as a fraction.
    private func measured(_ condition: CheckExpression, in traffic: TrafficCount) -> Double? {
        guard let fraction = condition.latencyFraction else {
            return traffic.asked == 0 ? nil : Double(traffic.failures) / Double(traffic.asked)
        }
        return traffic.latency.percentileMicroseconds(fraction).map { $0 / 1e6 }
    }

    // MARK: - The end of a step

    /// What is said of a step in which nothing was answered: that is no evidence.
    package static let withoutTraffic =
        "the hold time passed without traffic: nothing was seen, which speaks neither for nor against it"

    private func doneReason(_ evidence: StepEvidence) -> String {
        let traffic = evidence.candidate
        guard traffic.asked > 0 else {
            var text = Self.withoutTraffic
            if traffic.received > 0 {
                text +=
                    " (\(traffic.refused) requests were refused, \(traffic.turnedAway) turned away)"
            }
            return text
        }
        var text =
            "\(traffic.asked) requests, \(traffic.errors) errors"
            + Self.contestedText(traffic.contested)
        if traffic.refused > traffic.contested { text += ", \(traffic.refused) refused" }
        if let p99 = traffic.latency.percentileMicroseconds(0.99) {
            text += String(format: ", latency p99 %.4gms", p99 / 1e3)
        }
        return text
    }

    /// Why the step may end before its time: each abort condition is ruled out, and where there is
    /// none, that the candidate fails twice as often as the revision before it, or that 1 % of its
    /// requests fail. The chance that this is wrong is the policy's false-alarm rate.
    private func earlyReason(_ evidence: StepEvidence, _ earlier: [StepEvidence]) -> String? {
        guard !policy.abort.isEmpty else { return earlyByBaseline(evidence, earlier) }
        let needed = logNeededEarly(tries: policy.abort.count)
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

    private func earlyByBaseline(
        _ evidence: StepEvidence, _ earlier: [StepEvidence]
    ) -> String? {
        let needed = logNeededEarly(tries: 2)
        let traffic = evidence.candidate
        if SequentialTest.logEvidenceBelow(
            bound: 0.01, failures: traffic.failures, requests: traffic.asked) >= needed
        {
            return "ahead of time, less than 1 % of requests fail: " + doneReason(evidence)
        }
        let splits = (earlier + [evidence]).map { step in
            SequentialTest.Split(
                candidate: step.candidate.failures, baseline: step.baseline.failures,
                share: min(step.weightPercent / 100, 1 - 1e-9))
        }
        guard SequentialTest.logEvidenceOfFewerFailures(splits, than: 2) >= needed else {
            return nil
        }
        return "ahead of time, it does not fail twice as often as the revision before: "
            + doneReason(evidence)
    }

    /// Behind a number of failures: how many of them were refusals.
    static func contestedText(_ count: UInt64) -> String {
        count == 0 ? "" : " (\(count) refused with 400 that the revision before takes)"
    }

    private func logNeededEarly(tries: Int) -> Double {
        log(Double(tries * policy.watchedSteps) / (policy.falseAlarmRate ?? 0.01))
    }
}
