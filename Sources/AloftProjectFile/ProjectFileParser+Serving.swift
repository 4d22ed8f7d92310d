import AloftDomain
import Yams

extension ProjectFileParser {
    static func readModel(_ entry: Section.Entry) -> ModelDefinition? {
        guard let section = entry.value.section("a model", keys: ProjectFileKeys.model) else {
            return nil
        }
        let environments = section["checks"]?.named("`checks`", as: .plain) ?? []
        return ModelDefinition(
            name: entry.name,
            checks: environments.compactMap { environment in
                guard let items = environment.value.list("a list of checks") else { return nil }
                return ModelDefinition.EnvironmentChecks(
                    environment: environment.name, checks: items.compactMap(readCheck))
            })
    }

    static func readCheck(_ cursor: Cursor) -> CheckExpression? {
        guard let text = cursor.text("a check", example: "\"val_auc >= 0.65\"") else { return nil }
        do {
            return try CheckExpression(text)
        } catch {
            cursor.fault(error.message)
            return nil
        }
    }

    static func readDeployment(_ entry: Section.Entry) -> DeploymentDefinition? {
        guard let section = entry.value.section("a deployment", keys: ProjectFileKeys.deployment),
            let model = section.required("model", example: "model: flight-delay").flatMap({
                readName($0, "the model's name", as: .model)
            })
        else { return nil }
        return DeploymentDefinition(
            name: entry.name, model: model, rollout: section["rollout"].flatMap(readRollout),
            logSampling: section["log"].flatMap(readShare),
            breaking: section["breaking"].map(readBreaking) ?? false,
            traffic: TrafficRules(
                shadow: section["shadow"].flatMap { readShadow($0, of: entry.name) },
                segments: section["segments"].flatMap(readSegments),
                execution: ExecutionRules(
                    workers: section["workers"].flatMap {
                        $0.integer("`workers`", in: ExecutionRules.workerCounts)
                    },
                    batch: section["batch"].flatMap(readBatch),
                    latencyTargetMilliseconds: section["latency_target"].flatMap(readTarget))))
    }

    private static func readBatch(_ cursor: Cursor) -> ExecutionRules.Batch? {
        // YAML calls `off` a truth value in some of its versions; it stays a word here.
        cursor.word("`batch`", ExecutionRules.Batch.self)
    }

    private static func readTarget(_ cursor: Cursor) -> Int? {
        guard let target = cursor.duration("`latency_target`") else { return nil }
        let milliseconds = Int(
            bounded: (target / .milliseconds(1)).rounded(.up), 0...4_000_000)
        guard ExecutionRules.latencyTargets.contains(milliseconds) else {
            cursor.fault("`latency_target` is from 1ms to 1h\(cursor.butIs)")
            return nil
        }
        return milliseconds
    }

    private static func readBreaking(_ cursor: Cursor) -> Bool {
        switch cursor.scalar?.string {
        case "true": return true
        case "false": return false
        default:
            cursor.fault("`breaking` is true or false\(cursor.butIs)")
            return false
        }
    }

    private static func readShare(_ cursor: Cursor) -> Double? {
        let percent = cursor.scalar.flatMap { Quantity.percent($0.string) }
        guard let percent, (0...100).contains(percent) else {
            cursor.fault("`log` is a percentage from 0% to 100%\(cursor.butIs)")
            return nil
        }
        return percent / 100
    }

    private static func readRollout(_ cursor: Cursor) -> RolloutDefinition? {
        guard let section = cursor.section("a rollout", keys: ProjectFileKeys.rollout) else {
            return nil
        }
        let steps = section.required("steps", example: "steps: [5%, 25%, 100%]").flatMap(readSteps)
        let hold = section["hold"].map { $0.duration("`hold`") } ?? .seconds(60)
        let abort = section["abort"].flatMap { $0.list("`abort`") } ?? []
        let conditions = abort.compactMap(readAbort)
        let atLeast = section["at_least"].map(readAtLeast) ?? 0
        guard let steps, let hold, let atLeast else { return nil }
        return RolloutDefinition(
            stepsPercent: steps, hold: hold, abort: conditions,
            scoreShift: section["score_shift"].map(readShift) ?? RolloutPolicy.standardScoreShift,
            atLeast: atLeast)
    }

    /// `200` or `200 requests`.
    private static func readAtLeast(_ cursor: Cursor) -> Int? {
        let words = cursor.scalar?.string.split(separator: " ") ?? []
        let isCount = words.count == 1 || (words.count == 2 && words.last == "requests")
        guard isCount, let number = words.first.flatMap({ Int($0) }),
            (1...1_000_000_000).contains(number)
        else {
            cursor.fault(
                "`at_least` is a number of requests from 1 on, as in `200 requests`\(cursor.butIs)")
            return nil
        }
        return number
    }

    /// `nil` where scores are not compared.
    private static func readShift(_ cursor: Cursor) -> Double? {
        guard let text = cursor.scalar?.string, text != "none" else { return nil }
        guard let percent = Quantity.percent(text), percent > 0, percent < 100 else {
            cursor.fault(
                "`score_shift` is a percentage between 0% and 100%, or none\(cursor.butIs)")
            return nil
        }
        return percent / 100
    }

    private static func readSteps(_ cursor: Cursor) -> [Double]? {
        guard let items = cursor.list("`steps`") else { return nil }
        let steps = items.compactMap { item -> Double? in
            let percent = item.scalar.flatMap { Quantity.percent($0.string) }
            guard let percent, percent > 0, percent <= 100 else {
                item.fault("a step is a percentage above 0% and at most 100%\(item.butIs)")
                return nil
            }
            return percent
        }
        guard steps.count == items.count else { return nil }
        guard (1...100).contains(steps.count), steps.last == 100,
            zip(steps, steps.dropFirst()).allSatisfy({ $0 < $1 })
        else {
            cursor.fault("the steps rise and the last is 100%, as in `[5%, 25%, 100%]`")
            return nil
        }
        return steps
    }

    private static func readAbort(_ cursor: Cursor) -> CheckExpression? {
        guard let check = readCheck(cursor) else { return nil }
        let isMeasured = check.metric == "error_rate" || check.latencyFraction != nil
        guard isMeasured else {
            cursor.fault(
                "a rollout is watched by error_rate and latency_p50 to latency_p999; `\(check.metric)`"
                    + " does not change while it runs")
            return nil
        }
        guard check.otherEnvironment == nil else {
            cursor.fault("a rollout is compared with a number, as in `error_rate > 1%`")
            return nil
        }
        return check
    }
}
