import AloftDomain
import AloftWire
import Foundation

/// A sweep for people.
enum SweepText {
    static func number(_ value: Double?) -> String {
        value.map(NumberText.short) ?? ""
    }

    static func table(_ sweep: SweepView) -> String {
        let trials = sweep.trials ?? []
        let names = trials.first?.parameters.map(\.name) ?? []
        let metric = sweep.objective.split(separator: " ").last.map(String.init) ?? "objective"
        var table = TextTable(
            [("TRIAL", .right), ("STATE", .left), (metric.uppercased(), .right), ("STEP", .right)]
                + names.map { ($0, .right) } + [("JOB", .left), ("", .left)])
        for trial in trials {
            table.add(
                [
                    String(trial.number), state(trial), number(trial.objective),
                    trial.step.map(String.init) ?? "",
                ] + trial.parameters.map { shortened($0.value) } + [
                    String(trial.job.rawValue.prefix(12)),
                    trial.number == sweep.best ? "best" : trial.reason ?? "",
                ])
        }
        return table.text
    }

    /// One line on a trial that has ended.
    static func line(_ trial: TrialView, of sweep: SweepView) -> String {
        let parameters = trial.parameters.map { "\($0.name)=\(shortened($0.value))" }
        let value = trial.objective.map { " \(number($0))" } ?? ""
        return "trial \(trial.number) \(state(trial))\(value)  "
            + parameters.joined(separator: " ") + (trial.reason.map { "  \($0)" } ?? "")
    }

    static func summary(_ sweep: SweepView) -> String {
        var lines = [
            "sweep \(sweep.id) of \(sweep.project)/\(sweep.job): \(sweep.state.rawValue)",
            "\(sweep.objective) by \(sweep.method), \(progress(sweep))",
        ]
        if let reason = sweep.reason { lines.append(reason) }
        if let version = sweep.registered {
            lines.append("registered \(version.model)/\(version.version)")
        }
        return lines.joined(separator: "\n")
    }

    /// `12 of 40 trials (1 failed, 5 stopped early), best 0.71 (trial 9)`.
    static func progress(_ sweep: SweepView) -> String {
        let trials = sweep.trials ?? []
        let ended = trials.filter { $0.endedAt != nil }.count
        var parts = ["\(ended) of \(sweep.trialLimit) trials"]
        let counts: [(TrialView.State, String)] = [
            (.running, "running"), (.stoppedEarly, "stopped early"), (.failed, "failed"),
            (.cancelled, "cancelled"),
        ]
        let remarks = counts.compactMap { state, word -> String? in
            let count = trials.filter { $0.state == state }.count
            return count == 0 ? nil : "\(count) \(word)"
        }
        if !remarks.isEmpty { parts[0] += " (\(remarks.joined(separator: ", ")))" }
        if let best = sweep.best, let trial = trials.first(where: { $0.number == best }) {
            parts.append("best \(number(trial.objective)) (trial \(best))")
        }
        return parts.joined(separator: ", ")
    }

    /// `[#####-----] 12 of 40 trials …`
    static func bar(_ sweep: SweepView) -> String {
        let width = 24
        let ended = (sweep.trials ?? []).filter { $0.endedAt != nil }.count
        let full = min(width, width * ended / max(1, sweep.trialLimit))
        return "[" + String(repeating: "#", count: full)
            + String(repeating: "-", count: width - full) + "] " + progress(sweep)
    }

    private static func state(_ trial: TrialView) -> String {
        switch trial.state {
        case .stoppedEarly: "stopped early" + (trial.rung.map { " at \($0)" } ?? "")
        case .running, .stopping, .succeeded, .failed, .cancelled: trial.state.rawValue
        }
    }

    private static func shortened(_ value: String) -> String {
        // What is no number of its own, or larger than any, stays as it was written.
        guard let number = Double(value), number.isFinite,
            value.contains(".") || value.contains("e")
        else { return value }
        return String(format: "%.4g", number)
    }
}
