import AloftDomain
import AloftWire
import Foundation

/// Predictions as people read them.
enum PredictionText {
    private static let bodyLimit = 1000

    static func table(_ items: [PredictionItem]) -> String {
        var table = TextTable([
            ("PREDICTION", .left), ("AT", .left), ("ENDPOINT", .left), ("REVISION", .right),
            ("MODEL", .left), ("STATUS", .right), ("MS", .right), ("STEP", .right),
        ])
        for item in items {
            table.add([
                item.id, item.at, item.endpoint, item.number.map { "r\($0)" } ?? "-",
                "\(item.model)/\(item.version)", String(item.status), milliseconds(item),
                item.rolloutStep.map { String($0 + 1) } ?? "",
            ])
        }
        return table.text
    }

    private static func milliseconds(_ item: PredictionItem) -> String {
        String(format: "%.3f", item.milliseconds)
    }

    // MARK: One prediction

    static func page(_ reply: ShowPrediction.Reply) -> String {
        var lines = Lines()
        let item = reply.prediction
        lines.add("prediction", item.id)
        lines.add("at", "\(item.at), answered in \(milliseconds(item)) ms with \(item.status)")
        lines.add("trace", item.traceID)
        lines.add("asked", body(reply.request))
        lines.add("answered", body(reply.response))
        lines.gap()
        add(reply.walk, of: item, to: &lines)
        return lines.text
    }

    private static func add(
        _ walk: PredictionWalk, of item: PredictionItem, to lines: inout Lines
    ) {
        let number = item.number.map { "revision \($0)" } ?? "revision \(item.revision)"
        lines.add("deployment", "\(item.deployment) in \(item.environment), \(number)")
        if let revision = walk.revision {
            lines.add("  state", revision.state + (revision.reason.map { ": \($0)" } ?? ""))
            lines.add("  made", "\(revision.createdAt) by \(revision.createdBy)")
        }
        if let place = item.rolloutStep {
            lines.add("rollout step", step(walk.step, place))
            for comparison in walk.step?.comparisons ?? [] {
                lines.add("  \(comparison.what)", comparison.explanation)
            }
        } else {
            lines.add("rollout step", "none: no rollout of this revision was under way")
        }
        addVersion(walk, of: item, to: &lines)
        addRun(walk, to: &lines)
    }

    private static func step(_ step: RolloutStepItem?, _ place: Int) -> String {
        guard let step else { return "\(place + 1)" }
        let weight = DeploymentText.percent(step.weightPercent)
        let verdict = step.verdict.map { "; \($0)" } ?? "; not decided yet"
        let reason = step.reason.flatMap { $0.isEmpty ? nil : ": \($0)" } ?? ""
        return "\(place + 1) at \(weight) since \(step.startedAt)\(verdict)\(reason)"
    }

    private static func addVersion(
        _ walk: PredictionWalk, of item: PredictionItem, to lines: inout Lines
    ) {
        lines.add("model", "\(item.model)/\(item.version)")
        lines.add("  file", item.digest)
        guard let version = walk.version else {
            return lines.add("  ", "the version is no longer registered")
        }
        lines.add(
            "  aliases", version.aliases.isEmpty ? nil : version.aliases.joined(separator: ", "))
        lines.add("  source", version.source)
        lines.add("  registered", "\(version.createdAt) by \(version.createdBy)")
        lines.add("  converted by", version.conversionJob.map { "job \($0)" })
    }

    private static func addRun(_ walk: PredictionWalk, to lines: inout Lines) {
        guard let run = walk.run else {
            return lines.add("run", "none: the version was registered without one")
        }
        lines.add("run", "\(run.id) (\(run.name)), \(run.status.lowercased())")
        lines.add("  experiment", run.experimentName)
        lines.add("  ran", "\(run.startedAt) to \(run.endedAt ?? "now") by \(run.user)")
        lines.add("  params", pairs(run.params.mapValues { String($0.prefix(100)) }))
        lines.add("  metrics", pairs(run.metrics.mapValues(NumberText.short)))
        lines.add("job", walk.job.map { "\($0.id) (\($0.name))" })
        lines.add("  command", walk.code?.command)
        lines.add("code", walk.code?.snapshot.map { "snapshot \($0)" })
        lines.add("  script", walk.code?.source)
        lines.add("  commit", walk.code?.commit)
        lines.add("environment", walk.environment.map(\.description))
        for dataset in walk.datasets {
            let context = dataset.context.map { " for \($0)" } ?? ""
            lines.add("data", "\(dataset.name), digest \(dataset.digest)\(context)")
        }
        if walk.datasets.isEmpty { lines.add("data", "none: the run noted no inputs") }
    }

    private static func pairs(_ values: [String: String]) -> String? {
        guard !values.isEmpty else { return nil }
        let shown = values.sorted { $0.key < $1.key }.prefix(20).map { "\($0.key)=\($0.value)" }
        return shown.joined(separator: " ") + (values.count > 20 ? " …" : "")
    }

    private static func body(_ body: PredictionBody) -> String {
        guard let text = body.text else { return "\(body.sizeBytes) bytes that are no text" }
        let isShort = text.count <= bodyLimit && !body.isCut
        return String(text.prefix(bodyLimit))
            + (isShort ? "" : " … (\(body.sizeBytes) bytes in all)")
    }

    // MARK: Replay

    static func comparison(_ reply: ReplayPrediction.Reply) -> String {
        var lines = Lines()
        lines.add("prediction", reply.prediction)
        lines.add(
            "then", "\(reply.model)/\(reply.versionBefore), \(reply.statusBefore)")
        lines.add("", body(reply.before))
        lines.add("now", "\(reply.model)/\(reply.versionAfter), \(reply.statusAfter)")
        lines.add("", body(reply.after))
        if let reason = reply.notCompared {
            lines.add("difference", "not known: \(reason)")
        } else if reply.isEqual {
            lines.add("difference", "none in \(reply.compared) values")
        } else if let largest = reply.largest {
            let size = largest.size.map(NumberText.short) ?? "not of numbers"
            lines.add(
                "difference", "\(reply.differing) of \(reply.compared) values; the largest \(size)")
            lines.add("", "\(largest.place): \(largest.before) then, \(largest.after) now")
        } else {
            lines.add("difference", "\(reply.statusBefore) then, \(reply.statusAfter) now")
        }
        return lines.text
    }

    /// Names on the left, what there is to say on the right, on one line each.
    private struct Lines {
        private var lines: [String] = []

        mutating func add(_ name: String, _ value: String?) {
            guard let value else { return }
            let padding = String(repeating: " ", count: max(1, 16 - name.count))
            let plain = value.map { character in
                character.unicodeScalars.contains { $0.value < 32 || $0.value == 127 }
                    ? " " : character
            }
            lines.append(name + padding + String(plain))
        }

        mutating func gap() { lines.append("") }

        var text: String { lines.joined(separator: "\n") }
    }
}
