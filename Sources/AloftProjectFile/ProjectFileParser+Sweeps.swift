import AloftDomain
import Yams

extension ProjectFileParser {
    package static let mostTrials = 10_000

    static func readSweep(_ cursor: Cursor) -> SweepDefinition? {
        guard let section = cursor.section("a sweep", keys: ProjectFileKeys.sweep) else {
            return nil
        }
        let objective = section.required("objective", example: "objective: maximize val_auc")
            .flatMap(readObjective)
        let method =
            section["method"].map { $0.word("`method`", SweepDefinition.Method.self) } ?? .tpe
        let stop = section["stop"].map(readStopRule)
        let trials = section["trials"]?.integer("`trials`", in: 1...mostTrials)
        let parallel = section["parallel"]?.integer("`parallel`", in: 1...1000) ?? 1
        let seed = section["seed"]?.integer("`seed`", in: 0...Int.max)
        let maxFailures = section["max_failures"]?.integer("`max_failures`", in: 1...mostTrials)
        let space = section.required(
            "space", example: "space: { depth: { int: [2, 10] } }"
        ).map(readSpace)
        guard let objective, let method, let space, !space.isEmpty else { return nil }
        let size = method == .grid ? gridSize(space, at: cursor) : nil
        if section["trials"] == nil, method != .grid {
            section.reportMissing("trials", example: "trials: 40")
        }
        guard let count = trials ?? size else { return nil }
        return SweepDefinition(
            objective: objective, method: method, stop: stop.flatMap(\.self),
            trials: min(count, size ?? count), parallel: parallel, seed: seed.map(UInt64.init),
            maxFailures: maxFailures, space: space)
    }

    /// How many points a grid has, at most `mostTrials`; a fault where a parameter has no end of
    /// values.
    private static func gridSize(_ space: [SearchDimension], at cursor: Cursor) -> Int? {
        var size = 1
        for dimension in space {
            guard let count = dimension.domain.cardinality else {
                cursor.fault(
                    "a grid cannot try every value of `\(dimension.name)`: give it a `step`, or "
                        + "list the values as `choice: [...]`")
                return nil
            }
            size = min(
                size.multipliedReportingOverflow(by: count).overflow ? mostTrials : size * count,
                mostTrials)
        }
        return size
    }

    private static func readObjective(_ cursor: Cursor) -> SweepDefinition.Objective? {
        let example = "objective: maximize val_auc"
        guard let text = cursor.text("the objective", example: example) else { return nil }
        let words = text.split(separator: " ", maxSplits: 1).map(String.init)
        guard words.count == 2,
            let direction = SweepDefinition.Objective.Direction(rawValue: words[0])
        else {
            let near = words.first.flatMap {
                nearest(to: $0, among: SweepDefinition.Objective.Direction.allCases.map(\.rawValue))
            }
            cursor.fault(
                "an objective is `maximize METRIC` or `minimize METRIC`\(cursor.butIs)"
                    + (near.map { "; did you mean `\($0)`?" } ?? ""))
            return nil
        }
        return SweepDefinition.Objective(
            direction: direction, metric: words[1].trimmingSpaces)
    }

    private static func readStopRule(_ cursor: Cursor) -> SweepDefinition.StopRule? {
        if let word = cursor.scalar?.string {
            switch word {
            case "asha": return .asha(grace: 1, reduction: 3)
            case "median": return .median(grace: 1, trials: 5)
            case "none": return nil
            default:
                cursor.fault(
                    "`stop` is asha, median or none\(cursor.butIs)"
                        + cursor.didYouMean(["asha", "median", "none"]))
                return nil
            }
        }
        guard let section = cursor.section("`stop`", keys: ProjectFileKeys.stop) else { return nil }
        guard section.entries.count == 1 else {
            cursor.fault(
                "`stop` names one rule, as in `stop: { asha: { grace: 4, reduction: 3 } }`")
            return nil
        }
        let steps = 1...1_000_000_000
        if let asha = section["asha"]?.section("`asha`", keys: ProjectFileKeys.asha) {
            return .asha(
                grace: asha["grace"]?.integer("`grace`", in: steps) ?? 1,
                reduction: asha["reduction"]?.integer("`reduction`", in: 2...100) ?? 3)
        }
        if let median = section["median"]?.section("`median`", keys: ProjectFileKeys.median) {
            return .median(
                grace: median["grace"]?.integer("`grace`", in: steps) ?? 1,
                trials: median["trials"]?.integer("`trials`", in: 1...mostTrials) ?? 5)
        }
        return section.entries.first?.name == "asha"
            ? .asha(grace: 1, reduction: 3) : .median(grace: 1, trials: 5)
    }

    private static func readSpace(_ cursor: Cursor) -> [SearchDimension] {
        guard let section = cursor.section("`space`") else { return [] }
        guard section.entries.count <= 100 else {
            cursor.fault("a space has at most 100 parameters, not \(section.entries.count)")
            return []
        }
        if section.entries.isEmpty {
            cursor.fault("a space has at least one parameter, as in `depth: { int: [2, 10] }`")
        }
        return section.entries.compactMap { entry in
            guard checkParameterName(entry), let domain = readDomain(entry.value) else {
                return nil
            }
            return SearchDimension(name: entry.name, domain: domain)
        }
    }

    private static func readDomain(_ cursor: Cursor) -> SearchDimension.Domain? {
        guard let section = cursor.section("a parameter's space", keys: ProjectFileKeys.dimension)
        else { return nil }
        let kinds = section.entries.filter {
            $0.name != "step" && ProjectFileKeys.dimension.contains($0.name)
        }
        guard let kind = kinds.first, kinds.count == 1 else {
            cursor.fault(
                "a parameter has one of uniform, log_uniform, int, log_int and choice, as in "
                    + "`{ uniform: [0, 1] }`")
            return nil
        }
        switch kind.name {
        case "choice": return readChoice(kind.value, step: section["step"])
        case "int", "log_int":
            return readIntegers(kind.value, log: kind.name == "log_int", step: section["step"])
        default:
            return readReals(kind.value, log: kind.name == "log_uniform", step: section["step"])
        }
    }

    private static func readChoice(_ cursor: Cursor, step: Cursor?) -> SearchDimension.Domain? {
        step?.fault("a `choice` has no `step`; list the values that you want")
        guard let items = cursor.list("`choice`") else { return nil }
        guard (1...1000).contains(items.count) else {
            cursor.fault("a choice has from 1 to 1000 values, not \(items.count)")
            return nil
        }
        let values = items.compactMap { $0.parameterValue("a value to choose") }
        var seen: Set<ParameterValue> = []
        for (item, value) in zip(items, values) where values.count == items.count {
            if !seen.insert(value).inserted { item.fault("`\(value.text)` is listed twice") }
        }
        return .choice(values)
    }

    private static func readIntegers(
        _ cursor: Cursor, log: Bool, step: Cursor?
    ) -> SearchDimension.Domain? {
        let most = 1_000_000_000_000
        let what = log ? "`log_int`" : "`int`"
        guard let ends = readEnds(cursor, what, example: "[2, 10]"),
            let low = ends.low.integer("the lower end", in: (log ? 1 : -most)...most),
            let high = ends.high.integer("the upper end", in: -most...most)
        else { return nil }
        guard low <= high else {
            cursor.fault("the lower end comes first: `[\(high), \(low)]`")
            return nil
        }
        if log { step?.fault("`step` goes with uniform and int only") }
        guard let step, !log else { return .integer(low: low, high: high, log: log, step: 1) }
        return step.integer("`step`", in: 1...max(1, high - low))
            .map { .integer(low: low, high: high, log: false, step: $0) }
    }

    private static func readReals(
        _ cursor: Cursor, log: Bool, step: Cursor?
    ) -> SearchDimension.Domain? {
        let what = log ? "`log_uniform`" : "`uniform`"
        let isRight = { (value: Double) in abs(value) <= 1e100 && (!log || value >= 1e-100) }
        let needed = log ? "of a log scale is a number above 0" : "is a number"
        guard let ends = readEnds(cursor, what, example: log ? "[0.001, 0.1]" : "[0, 1]"),
            let low = ends.low.number("the lower end \(needed)", where: isRight),
            let high = ends.high.number("the upper end \(needed)", where: isRight)
        else { return nil }
        guard low < high else {
            cursor.fault(
                "the lower end comes first and is less than the upper"
                    + (low > high ? ": `[\(high), \(low)]`" : ""))
            return nil
        }
        if log { step?.fault("`step` goes with uniform and int only") }
        guard let step, !log else { return .real(low: low, high: high, log: log, step: nil) }
        let span = high - low
        return step.number("`step` is above 0 and at most the distance of the ends") {
            $0 > 0 && $0 <= span && span / $0 <= 1e9
        }.map { .real(low: low, high: high, log: false, step: $0) }
    }

    private static func readEnds(
        _ cursor: Cursor, _ what: String, example: String
    ) -> (low: Cursor, high: Cursor)? {
        guard case .sequence(let sequence) = cursor.node, sequence.count == 2,
            let items = cursor.list(what)
        else {
            cursor.fault("\(what) has two ends, as in `\(example)`\(cursor.butIs)")
            return nil
        }
        return (items[0], items[1])
    }
}

extension String {
    fileprivate var trimmingSpaces: String {
        var text = Substring(self)
        while text.first == " " { text = text.dropFirst() }
        while text.last == " " { text = text.dropLast() }
        return String(text)
    }
}
