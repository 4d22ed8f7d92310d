package import AloftDomain
import AloftSearch
package import AloftStore

/// What is to be done about a sweep, all in one transaction.
struct SweepPlan: Sendable, Equatable {
    /// The sweep as it will be: its state, and those of its search and its stopping rule.
    var sweep: SweepRecord
    /// The trials that change, as they will be.
    var changed: [TrialRecord] = []
    /// The jobs to end, and why.
    var stops: [Stop] = []
    /// The points of new trials, in order.
    var suggestions: [[ParameterValue]] = []
    /// Every trial has ended and no more is to come.
    var settlement: Settlement?

    struct Stop: Sendable, Equatable {
        var trial: TrialRecord
        var reason: String
        /// Where it fell behind; `nil` where it is cancelled.
        var rung: Int?
    }

    struct Settlement: Sendable, Equatable {
        var best: TrialRecord?
        /// The best trial's model is to become a version of this registered model.
        var registers: String?
    }
}

/// Decides what is next for a sweep; `nil` where there is nothing to do. Pure.
func planSweep(_ snapshot: SweepSnapshot) throws -> SweepPlan? {
    guard let settings = snapshot.sweep.definition.sweep else { return nil }
    var planner = SweepPlanner(
        settings: settings, plan: SweepPlan(sweep: snapshot.sweep), trials: snapshot.trials,
        isChanged: false)
    try planner.hearNews(snapshot.news)
    try planner.countFailures()
    try planner.cancelIfClosing()
    try planner.suggest()
    planner.settle()
    return planner.isChanged ? planner.plan : nil
}

private struct SweepPlanner {
    let settings: SweepDefinition
    var plan: SweepPlan
    var trials: [TrialRecord]
    var isChanged: Bool

    private mutating func move(_ index: Int, _ event: TrialLifecycle.Event, reason: String) throws {
        let before = trials[index].state
        let effects = try trials[index].lifecycle.apply(event)
        guard trials[index].state != before else { return }
        isChanged = true
        plan.changed.removeAll { $0.number == trials[index].number }
        plan.changed.append(trials[index])
        for effect in effects {
            switch effect {
            case .stopJob:
                var rung: Int?
                if case .fellBehind(let step) = event { rung = step }
                plan.stops.append(.init(trial: trials[index], reason: reason, rung: rung))
            }
        }
    }

    /// The stopping rule learns of every trial, also of one that has come to its end.
    mutating func hearNews(_ news: [Int: SweepSnapshot.News]) throws {
        var rule = try plan.sweep.stopping.map { try SavedState.decode(EarlyStopping.self, $0) }
        let before = rule
        for index in trials.indices {
            guard trials[index].outcome == nil, let known = news[trials[index].number] else {
                continue
            }
            let decision = rule?.observe(trial: trials[index].number, points: known.points)
            if let end = known.jobEnd {
                try move(index, .jobEnded(end, last: known.last), reason: "")
            } else if case .stop(let rung) = decision, trials[index].state == .running {
                try move(
                    index, .fellBehind(rung: rung),
                    reason: "other trials of the sweep are better after \(rung) steps")
            }
        }
        if rule != before {
            plan.sweep.stopping = try rule.map(SavedState.encode)
            isChanged = true
        }
    }

    mutating func countFailures() throws {
        guard plan.sweep.state == .running else { return }
        let reasons = trials.compactMap { trial -> String? in
            guard case .failed(let reason) = trial.outcome else { return nil }
            return "trial \(trial.number) (job \(trial.job)): \(reason)"
        }
        guard reasons.count >= settings.maxFailures, let last = reasons.last else { return }
        let count = reasons.count == 1 ? "1 trial failed" : "\(reasons.count) trials failed"
        _ = try plan.sweep.lifecycle.apply(.gaveUp(reason: "\(count); the last was \(last)"))
        isChanged = true
    }

    mutating func cancelIfClosing() throws {
        guard case .closing = plan.sweep.state else { return }
        for index in trials.indices where trials[index].state == .running {
            try move(index, .cancelled, reason: "its sweep ends")
        }
    }

    private var underWay: Int { trials.count { $0.outcome == nil } }

    mutating func suggest() throws {
        let missing = min(settings.trials - trials.count, settings.parallel - underWay)
        guard plan.sweep.state == .running, !plan.sweep.isExhausted, missing > 0 else { return }
        var searcher = try SavedState.decode(Searcher.self, plan.sweep.searcher)
        var history = trials.map { Observation($0) }
        for _ in 0..<missing {
            guard let point = searcher.suggest(after: history) else {
                plan.sweep.isExhausted = true
                break
            }
            history.append(Observation(point: point, outcome: .pending))
            plan.suggestions.append(point)
        }
        plan.sweep.searcher = try SavedState.encode(searcher)
        isChanged = true
    }

    mutating func settle() {
        guard underWay == 0, plan.suggestions.isEmpty else { return }
        var isFull = trials.count >= settings.trials || plan.sweep.isExhausted
        if case .closing = plan.sweep.state { isFull = true }
        guard isFull else { return }
        plan.settlement = .init(
            best: bestTrial(of: trials, by: settings.objective),
            registers: plan.sweep.state == .running ? plan.sweep.definition.registers : nil)
        isChanged = true
    }
}

/// The trial with the best objective among those that ran to their end; the first of equals.
package func bestTrial(
    of trials: [TrialRecord], by objective: SweepDefinition.Objective
) -> TrialRecord? {
    var best: (trial: TrialRecord, value: Double)?
    for trial in trials {
        guard case .succeeded(let last) = trial.outcome else { continue }
        if best.map({ objective.isBetter(last.value, than: $0.value) }) ?? true {
            best = (trial, last.value)
        }
    }
    return best?.trial
}

extension Observation {
    init(_ trial: TrialRecord) {
        let outcome: Outcome =
            switch trial.state {
            case .running, .stopping, .cancelling: .pending
            case .ended(.succeeded(let last)): .finished(last.value)
            case .ended(.stoppedEarly(let last, _)):
                .stopped(last.value, resource: Int(clamping: last.step))
            case .ended(.failed), .ended(.cancelled): .failed
            }
        self.init(point: trial.point, outcome: outcome)
    }
}
