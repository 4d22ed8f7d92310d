import AloftDomain
import AloftWire
import Foundation

/// Deployments as people read them.
enum DeploymentText {
    static func percent(_ weight: Double) -> String { String(format: "%.4g%%", weight) }

    /// ` (gateway g: …)`: those that do not answer as they should; empty where all do.
    static func awaited(_ revision: RevisionItem) -> String {
        guard !revision.awaited.isEmpty else {
            return revision.isAnswered ? "" : " (no gateway is connected)"
        }
        return " ("
            + revision.awaited.map { "gateway \($0.gateway) \($0.reason)" }.joined(separator: "; ")
            + ")"
    }

    /// A line for each step that passed without anything that could speak for or against the revision.
    static func unseen(_ revision: RevisionItem) -> [String] {
        let steps = revision.rollout?.steps ?? []
        return steps.filter { !$0.sawTraffic && $0.verdict != nil }.map { step in
            "step at \(percent(step.weightPercent)): nothing seen, no request came; that is no evidence"
        }
    }

    static func overview(_ deployments: [DeploymentItem]) -> String {
        var table = TextTable([
            ("DEPLOYMENT", .left), ("ENVIRONMENT", .left), ("LIVE", .left), ("TRAFFIC", .right),
            ("UNDER WAY", .left), ("KEPT WARM", .left),
        ])
        for item in deployments {
            table.add([
                item.name, item.environment,
                item.live.map { model($0) + ($0.isAnswered ? "" : ", not answered") } ?? "-",
                item.live.map { percent($0.weightPercent) } ?? "-",
                item.underWay.map(underWay) ?? "-", item.standby.map(model) ?? "-",
            ])
        }
        return table.text
    }

    private static func model(_ revision: RevisionItem) -> String {
        "\(revision.model)/\(revision.version) (r\(revision.number))"
    }

    private static func underWay(_ revision: RevisionItem) -> String {
        let state = revision.rollout?.state == "paused" ? "paused" : revision.state
        return "\(model(revision)) \(state)"
            + (revision.weightPercent > 0 ? " at \(percent(revision.weightPercent))" : "")
    }

    static func page(_ reply: ShowDeployment.Reply) -> String {
        var parts = [overview([reply.deployment])]
        var table = TextTable([
            ("REVISION", .right), ("MODEL", .left), ("STATE", .left), ("CREATED", .left),
            ("BY", .left), ("WHY", .left),
        ])
        for revision in reply.history {
            table.add([
                String(revision.number), "\(revision.model)/\(revision.version)", revision.state,
                revision.createdAt, revision.createdBy, revision.reason ?? "",
            ])
        }
        parts.append(table.text)
        for revision in reply.history {
            if !revision.checks.isEmpty { parts.append(checks(of: revision)) }
            if let rollout = revision.rollout, !rollout.steps.isEmpty {
                parts.append(steps(of: rollout, revision: revision.number))
            }
        }
        return parts.joined(separator: "\n\n")
    }

    private static func checks(of revision: RevisionItem) -> String {
        var table = TextTable([("CHECKS OF r\(revision.number)", .left), ("", .left)])
        for check in revision.checks {
            let mark = check.held.map { $0 ? "held" : "FAILED" } ?? "-"
            table.add([mark, check.explanation])
        }
        return table.text
    }

    private static func steps(of rollout: RolloutItem, revision: Int) -> String {
        var table = TextTable([
            ("STEPS OF r\(revision)", .left), ("VERDICT", .left), ("REQUESTS", .right),
            ("FAILED", .right), ("REFUSED", .right), ("P99 MS", .right),
            ("BEFORE: REQUESTS", .right), ("FAILED", .right), ("REFUSED", .right),
            ("P99 MS", .right), ("WHY", .left),
        ])
        for step in rollout.steps {
            table.add([
                percent(step.weightPercent), verdict(step, of: rollout),
                String(step.candidate.requests), String(step.candidate.errors),
                refused(step.candidate), milliseconds(step.candidate.p99Milliseconds),
                String(step.baseline.requests), String(step.baseline.errors),
                refused(step.baseline), milliseconds(step.baseline.p99Milliseconds),
                step.reason ?? "",
            ])
        }
        let lines = rollout.steps.last.map { comparisons(of: $0) } ?? []
        let samples = rollout.steps.compactMap { step in
            step.sensitivity.map { "  at \(percent(step.weightPercent)): \($0)" }
        }
        return ([table.text] + lines + samples).joined(separator: "\n")
    }

    private static func verdict(_ step: RolloutStepItem, of rollout: RolloutItem) -> String {
        (step.verdict ?? rollout.state) + (step.sawTraffic ? "" : ", nothing seen")
    }

    private static func refused(_ traffic: RolloutStepItem.Traffic) -> String {
        String(traffic.refused.addingSaturated(traffic.turnedAway))
    }

    /// What speaks against the candidate in a rollout's newest step, and how much would abort it.
    private static func comparisons(of step: RolloutStepItem) -> [String] {
        step.comparisons.map { comparison in
            guard comparison.isCompared else { return "  not compared: " + comparison.explanation }
            return "  \(comparison.isWorse ? "WORSE" : "no worse"), "
                + "\(odds(comparison.log10Evidence)) to 1 (\(odds(comparison.log10Needed)) aborts): "
                + comparison.explanation
        }
    }

    private static func odds(_ log10: Double) -> String {
        log10 < 6 ? String(format: "%.3g", pow(10, log10)) : String(format: "10^%.0f", log10)
    }

    private static func milliseconds(_ value: Double?) -> String {
        value.map { String(format: "%.3g", $0) } ?? "-"
    }
}
