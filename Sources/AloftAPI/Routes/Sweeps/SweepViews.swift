import AloftControl
import AloftDomain
import AloftStore
import AloftWire

extension SweepView {
    /// Without its trials.
    init(_ sweep: SweepRecord) {
        let settings = sweep.definition.sweep
        var state = State.running
        var reason: String?
        var best: Int?
        switch sweep.state {
        case .running: break
        case .closing(.stopped): state = .closing
        case .closing(.failed(let why)): (state, reason) = (.closing, why)
        case .ended(.succeeded, let number): (state, best) = (.succeeded, number)
        case .ended(.stopped, let number): (state, best) = (.stopped, number)
        case .ended(.failed(let why), let number): (state, reason, best) = (.failed, why, number)
        }
        self.init(
            id: sweep.id, project: sweep.project, job: sweep.definition.name, state: state,
            reason: reason,
            objective: settings.map { "\($0.objective.direction) \($0.objective.metric)" } ?? "",
            method: settings?.method.rawValue ?? "", trialLimit: settings?.trials ?? 0,
            parallel: settings?.parallel ?? 0, best: best,
            registered: sweep.registered.map { Registered(model: $0.model, version: $0.version) },
            createdAt: sweep.createdAt, createdBy: sweep.createdBy, endedAt: sweep.endedAt,
            trials: nil)
    }

    /// With its trials. `latest` has the objective's last points of those that run, by number.
    init(_ sweep: SweepRecord, _ trials: [TrialRecord], latest: [Int: MetricPoint]) {
        self.init(sweep)
        let settings = sweep.definition.sweep
        if let objective = settings?.objective, best == nil {
            best = bestTrial(of: trials, by: objective)?.number
        }
        self.trials = trials.map { trial in
            var shown = TrialView(trial, names: settings?.space.map(\.name) ?? [])
            if let point = latest[trial.number] {
                shown.objective = point.value.isFinite ? point.value : nil
                shown.step = point.step
            }
            return shown
        }
    }
}

extension TrialView {
    init(_ trial: TrialRecord, names: [String]) {
        var state = State.running
        var last: TrialObjective?
        var rung: Int?
        var reason: String?
        switch trial.state {
        case .running: break
        case .stopping(let step): (state, rung) = (.stopping, step)
        case .cancelling: state = .stopping
        case .ended(.succeeded(let point)): (state, last) = (.succeeded, point)
        case .ended(.stoppedEarly(let point, let step)):
            (state, last, rung) = (.stoppedEarly, point, step)
        case .ended(.failed(let why)): (state, reason) = (.failed, why)
        case .ended(.cancelled): state = .cancelled
        }
        self.init(
            number: trial.number, state: state,
            parameters: zip(names, trial.point).map { Parameter(name: $0, value: $1.text) },
            objective: last?.value, step: last?.step, rung: rung, reason: reason, run: trial.run,
            job: trial.job, createdAt: trial.createdAt, endedAt: trial.endedAt)
    }
}
