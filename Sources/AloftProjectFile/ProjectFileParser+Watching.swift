import AloftDomain
import Yams

extension ProjectFileParser {
    static func readMonitor(_ entry: Section.Entry) -> MonitorDefinition? {
        guard let section = entry.value.section("a monitor", keys: ProjectFileKeys.monitor) else {
            return nil
        }
        if section["drift"] == nil, section["quality"] == nil {
            entry.key.fault("a monitor watches `drift`, `quality` or both")
        }
        return MonitorDefinition(
            deployment: entry.name, drift: section["drift"].flatMap(readDrift),
            quality: section["quality"].flatMap(readQuality))
    }

    private static func readDrift(_ cursor: Cursor) -> MonitorDefinition.Drift? {
        guard let section = cursor.section("`drift`", keys: ProjectFileKeys.drift) else {
            return nil
        }
        let test =
            section["test"].map { $0.word("`test`", MonitorDefinition.Drift.Test.self) } ?? .psi
        let threshold = section.required("threshold", example: "threshold: 0.2").flatMap { value in
            value.number("`threshold` is a number above 0") { $0 > 0 }
        }
        let window =
            section["window"].map { $0.integer("`window`", in: 10...10_000_000) } ?? 1000
        guard let test, let threshold, let window else { return nil }
        return MonitorDefinition.Drift(test: test, threshold: threshold, window: window)
    }

    private static func readQuality(_ cursor: Cursor) -> MonitorDefinition.Quality? {
        guard let section = cursor.section("`quality`", keys: ProjectFileKeys.quality) else {
            return nil
        }
        let metric = section.required("metric", example: "metric: auc")?
            .text("the metric", example: "metric: auc")
        let label = section.required("label", example: "label: arrived_late")?
            .text("the label", example: "label: arrived_late")
        let atLeast = section["at_least"].flatMap { $0.number("`at_least` is a number") }
        let atMost = section["at_most"].flatMap { $0.number("`at_most` is a number") }
        guard (section["at_least"] == nil) != (section["at_most"] == nil) else {
            cursor.fault("`quality` has one bound: `at_least: 0.62` or `at_most: 0.1`")
            return nil
        }
        guard let metric, let label,
            let bound = atLeast.map(MonitorDefinition.Quality.Bound.atLeast)
                ?? atMost.map(MonitorDefinition.Quality.Bound.atMost)
        else { return nil }
        return MonitorDefinition.Quality(metric: metric, bound: bound, label: label)
    }

    static func readTrigger(_ entry: Section.Entry) -> TriggerDefinition? {
        guard let section = entry.value.section("a trigger", keys: ProjectFileKeys.trigger) else {
            return nil
        }
        let items = section.required("when", example: "when: [drift, \"cron 0 3 * * 1\"]")?
            .list("`when`")
        if items?.isEmpty == true { section["when"]?.fault("`when` has at least one cause") }
        let causes = (items ?? []).compactMap(readCause)
        let job = section.required("run", example: "run: train")?.text(
            "the job", example: "run: train")
        let sequel = section["then"].map { $0.word("`then`", TriggerDefinition.Sequel.self) }
        guard let job, items != nil else { return nil }
        return TriggerDefinition(
            name: entry.name, when: causes, run: job, then: sequel.flatMap(\.self))
    }

    private static func readCause(_ cursor: Cursor) -> TriggerDefinition.Cause? {
        switch cursor.scalar?.string {
        case "drift": return .drift
        case "quality": return .quality
        case "push": return .push
        case .some(let text) where text.hasPrefix("cron "):
            do {
                return .cron(try CronSchedule(String(text.dropFirst(5))))
            } catch {
                cursor.fault(error.message)
                return nil
            }
        case .some, nil:
            cursor.fault(
                "a cause is drift, quality, push or `cron MINUTE HOUR DAY MONTH WEEKDAY`"
                    + cursor.butIs + cursor.didYouMean(["drift", "quality", "push", "cron"]))
            return nil
        }
    }
}
