package import AloftDomain

/// One value of the objective as a trial logged it.
package struct ObjectivePoint: Sendable, Equatable, Codable {
    package var step: Int
    package var value: Double

    package init(step: Int, value: Double) {
        self.step = step
        self.value = value
    }
}

/// Decides from the metric's history whether a trial goes on. Pure; its state is saved with the
/// sweep, and what it was told once it never needs again.
package struct EarlyStopping: Sendable, Codable, Equatable {
    package enum Decision: Sendable, Equatable {
        case goOn
        /// The trial falls behind the others at this step, its rung.
        case stop(rung: Int)
    }

    private enum Rule: Sendable, Codable, Equatable {
        case asha(HalvingRule)
        case median(MedianRule)
    }

    private var rule: Rule
    /// The last step that was seen of each trial.
    private var seen: [Int: Int] = [:]

    package init(_ rule: SweepDefinition.StopRule, direction: SweepDefinition.Objective.Direction) {
        switch rule {
        case .asha(let grace, let reduction):
            self.rule = .asha(
                HalvingRule(grace: grace, reduction: reduction, direction: direction))
        case .median(let grace, let trials):
            self.rule = .median(MedianRule(grace: grace, trials: trials, direction: direction))
        }
    }

    /// The step from which on `observe` can decide something new of `trial`.
    package func nextStep(of trial: Int) -> Int {
        switch rule {
        case .asha(let asha): asha.nextStep(of: trial)
        case .median(let median): median.nextStep(of: trial)
        }
    }

    /// The last step that was seen of `trial`; points up to it are not asked for again.
    package func lastStep(of trial: Int) -> Int? { seen[trial] }

    /// Takes what `trial` has logged, in the order of its steps; what was seen before is passed over,
    /// as are values that are no numbers. After `stop` nothing more is decided of that trial.
    package mutating func observe(trial: Int, points: [ObjectivePoint]) -> Decision {
        let last = seen[trial] ?? Int.min
        let fresh = points.filter { $0.value.isFinite && $0.step > last }
        guard let newest = fresh.map(\.step).max() else { return .goOn }
        seen[trial] = newest
        switch rule {
        case .asha(var asha):
            defer { rule = .asha(asha) }
            return asha.observe(trial: trial, points: fresh)
        case .median(var median):
            defer { rule = .median(median) }
            return median.observe(trial: trial, points: fresh)
        }
    }
}

/// Asynchronous successive halving, the variant that stops instead of pausing: at each rung
/// (`grace · reductionᵏ` steps) a trial goes on if it is among the best one in `reduction` of those
/// that got there so far; the first few always go on. Li, Jamieson, Rostamizadeh, Gonina, Hardt,
/// Recht and Talwalkar, "A system for massively parallel hyperparameter tuning", MLSys 2020.
struct HalvingRule: Sendable, Codable, Equatable {
    private struct Rung: Codable, Sendable, Equatable {
        let step: Int
        /// Sorted, the best first.
        var values: [Double] = []
    }

    private let reduction: Int
    private let direction: SweepDefinition.Objective.Direction
    private var rungs: [Rung]
    /// How many rungs each trial has passed.
    private var passed: [Int: Int] = [:]

    init(grace: Int, reduction: Int, direction: SweepDefinition.Objective.Direction) {
        self.reduction = reduction
        self.direction = direction
        var rungs: [Rung] = []
        var step = max(1, grace)
        while rungs.count < 64 {
            rungs.append(Rung(step: step))
            let (next, overflow) = step.multipliedReportingOverflow(by: reduction)
            if overflow { break }
            step = next
        }
        self.rungs = rungs
    }

    mutating func observe(trial: Int, points: [ObjectivePoint]) -> EarlyStopping.Decision {
        for point in points {
            while case let level = passed[trial, default: 0], level < rungs.count,
                point.step >= rungs[level].step
            {
                passed[trial] = level + 1
                // A step that jumps over rungs is measured at the highest that it reached.
                let isHighest =
                    level + 1 == rungs.count || point.step < rungs[level + 1].step
                guard isHighest else { continue }
                if !isAmongBest(point.value, at: level) { return .stop(rung: rungs[level].step) }
            }
        }
        return .goOn
    }

    func nextStep(of trial: Int) -> Int {
        let level = passed[trial, default: 0]
        return level < rungs.count ? rungs[level].step : Int.max
    }

    private mutating func isAmongBest(_ value: Double, at level: Int) -> Bool {
        let objective = SweepDefinition.Objective(direction: direction, metric: "")
        let better = rungs[level].values.firstIndex { !objective.isBetter($0, than: value) }
        let rank = better ?? rungs[level].values.count
        rungs[level].values.insert(value, at: rank)
        let count = rungs[level].values.count
        return count < reduction || rank < count / reduction
    }
}

/// Stops a trial whose best value so far is worse than the median of the other trials' averages up
/// to the same step. Golovin, Solnik, Moitra, Kochanski, Karro and Sculley, "Google Vizier", KDD 2017.
///
/// Averages are kept at `grace` steps, twice, three times … as many, up to a thousand times.
struct MedianRule: Sendable, Codable, Equatable {
    private struct Course: Codable, Sendable, Equatable {
        var sum = 0.0
        var count = 0
        var best: Double?
        /// How many checkpoints it has passed.
        var passed = 0
    }

    private static let mostCheckpoints = 1000

    private let grace: Int
    private let trials: Int
    private let direction: SweepDefinition.Objective.Direction
    private var courses: [Int: Course] = [:]
    /// The averages of all trials that got to each checkpoint.
    private var averages: [[Double]] = []

    init(grace: Int, trials: Int, direction: SweepDefinition.Objective.Direction) {
        self.grace = max(1, grace)
        self.trials = trials
        self.direction = direction
    }

    mutating func observe(trial: Int, points: [ObjectivePoint]) -> EarlyStopping.Decision {
        let objective = SweepDefinition.Objective(direction: direction, metric: "")
        for point in points {
            guard point.step >= 0 else { continue }
            var course = courses[trial] ?? Course()
            course.sum += point.value
            course.count += 1
            if course.best.map({ objective.isBetter(point.value, than: $0) }) ?? true {
                course.best = point.value
            }
            let reached = min(point.step / grace, Self.mostCheckpoints)
            let mayStop = reached > course.passed
            let others = mayStop && averages.count >= reached ? averages[reached - 1] : []
            while course.passed < reached {
                if averages.count == course.passed { averages.append([]) }
                averages[course.passed].append(course.sum / Double(course.count))
                course.passed += 1
            }
            courses[trial] = course
            guard mayStop, others.count >= trials, let best = course.best else { continue }
            if objective.isBetter(Self.median(others), than: best) {
                return .stop(rung: reached * grace)
            }
        }
        return .goOn
    }

    func nextStep(of trial: Int) -> Int {
        let passed = courses[trial]?.passed ?? 0
        let (step, overflow) = grace.multipliedReportingOverflow(by: passed + 1)
        return passed < Self.mostCheckpoints && !overflow ? step : Int.max
    }

    private static func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        let middle = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }
}
