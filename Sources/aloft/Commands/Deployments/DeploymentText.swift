import AloftWire
import Foundation

/// Deployments as people read them.
enum DeploymentText {
    static func percent(_ weight: Double) -> String { String(format: "%.4g%%", weight) }

    static func overview(_ deployments: [DeploymentItem]) -> String {
        var table = TextTable([
            ("DEPLOYMENT", .left), ("ENVIRONMENT", .left), ("LIVE", .left), ("TRAFFIC", .right),
            ("UNDER WAY", .left), ("KEPT WARM", .left),
        ])
        for item in deployments {
            table.add([
                item.name, item.environment, item.live.map(model) ?? "-",
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
            ("ERRORS", .right), ("P99 MS", .right), ("BEFORE: REQUESTS", .right),
            ("ERRORS", .right), ("P99 MS", .right), ("WHY", .left),
        ])
        for step in rollout.steps {
            table.add([
                percent(step.weightPercent), step.verdict ?? rollout.state,
                String(step.candidate.requests), String(step.candidate.errors),
                milliseconds(step.candidate.p99Milliseconds), String(step.baseline.requests),
                String(step.baseline.errors), milliseconds(step.baseline.p99Milliseconds),
                step.reason ?? "",
            ])
        }
        let lines = rollout.steps.last.map { comparisons(of: $0) } ?? []
        return ([table.text] + lines).joined(separator: "\n")
    }

    /// What speaks against the candidate in a rollout's newest step, and how much would abort it.
    private static func comparisons(of step: RolloutStepItem) -> [String] {
        step.comparisons.map { comparison in
            "  \(comparison.isWorse ? "WORSE" : "no worse"), "
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
