import AloftDomain
import AloftStore
import Foundation

/// The identifiers of a new trial.
struct TrialNames: Sendable {
    let run: RunID
    let job: JobID
}

/// Carries a plan out. Everything happens in the caller's transaction.
struct SweepPlanApplication: Sendable {
    let plan: SweepPlan
    /// One for each suggestion.
    let names: [TrialNames]
    let now: Date

    private var sweep: SweepRecord { plan.sweep }
    private var principal: Principal { SweepController.principal }

    /// - Returns: false, with nothing done, if the sweep has changed since the plan was made.
    func apply(_ db: Transaction) throws -> Bool {
        var sweep = plan.sweep
        if let settlement = plan.settlement {
            let fault = try register(db, settlement, in: &sweep)
            _ = try sweep.lifecycle.apply(
                .settled(best: settlement.best?.number, fault: fault))
        }
        guard try SweepQueries.update(db, sweep, at: now, by: principal) else {
            // What was registered above is undone with the transaction.
            if plan.settlement?.registers != nil { throw Outdated() }
            return false
        }
        for trial in plan.changed {
            try TrialQueries.update(db, trial, project: sweep.project, at: now, by: principal)
        }
        for stop in plan.stops { try carryOut(db, stop) }
        let count = try TrialQueries.count(db, of: sweep.id)
        for (index, point) in plan.suggestions.enumerated() {
            try start(db, number: count + index + 1, point, names[index])
        }
        return true
    }

    /// The sweep changed while its end was planned; the next look plans again.
    struct Outdated: Error {}

    private func carryOut(_ db: Transaction, _ stop: SweepPlan.Stop) throws {
        try JobQueries.requestStop(db, stop.trial.job, reason: stop.reason, at: now, by: principal)
        if let rung = stop.rung {
            let run = try TrackingQueries.activeRun(db, stop.trial.run)
            try TrackingQueries.setTag(
                db, run, NamedText(key: "aloft.stoppedEarly", value: String(rung)))
        }
    }

    private func start(
        _ db: Transaction, number: Int, _ point: [ParameterValue], _ names: TrialNames
    ) throws {
        let definition = sweep.definition
        let space = definition.sweep?.space ?? []
        let chosen = zip(space.map(\.name), point)
        let experiment = try TrackingQueries.ensureExperiment(
            db, name: "\(sweep.project)/\(definition.name)", project: sweep.project, at: now)
        // The chosen values are tags, not params: a script that logs a param itself may round it, and
        // a param cannot be logged twice with two texts.
        let code = try ProjectFileQueries.find(db, sweep.project, revision: sweep.fileRevision)?
            .code
        let tags =
            [
                NamedText(key: "aloft.sweep", value: sweep.id.rawValue),
                NamedText(key: "aloft.trial", value: String(number)),
                NamedText(key: "aloft.job", value: names.job.rawValue),
            ]
            + chosen.map { NamedText(key: "aloft.parameter.\($0)", value: $1.text) }
            + JobRuns.tags(of: code)
        try TrackingQueries.createRun(
            db,
            NewRun(
                id: names.run, experiment: experiment, name: "\(definition.name) trial \(number)",
                user: sweep.createdBy, status: .scheduled, startTime: now.millisecondsSince1970,
                tags: tags))
        let spec = JobSpec(
            definition, project: sweep.project,
            parameters: Dictionary(chosen, uniquingKeysWith: { _, last in last }),
            snapshot: sweep.snapshot, code: code, run: names.run, experiment: experiment,
            group: JobGroup(
                name: sweep.id.rawValue, parallel: definition.sweep?.parallel ?? 1))
        try JobQueries.insert(db, id: names.job, spec: spec, at: now, by: principal)
        try TrialQueries.insert(
            db,
            TrialRecord(
                sweep: sweep.id, number: number, point: point, run: names.run, job: names.job,
                createdAt: now.stamp),
            project: sweep.project, at: now, by: principal)
    }

    /// Makes the best trial's newest logged model a version.
    ///
    /// - Returns: what kept it from that, as a sentence.
    private func register(
        _ db: Transaction, _ settlement: SweepPlan.Settlement, in sweep: inout SweepRecord
    ) throws -> String? {
        guard let name = settlement.registers, let best = settlement.best else { return nil }
        let registration = RunRegistration(
            model: name, run: best.run, project: sweep.project,
            tags: [
                NamedText(key: "aloft.sweep", value: sweep.id.rawValue),
                NamedText(key: "aloft.trial", value: String(best.number)),
                NamedText(key: "aloft.job", value: best.job.rawValue),
            ])
        guard let started = Date(stamp: sweep.createdAt) else {
            throw UnreadableValue(table: "sweep", column: "createdAt", text: sweep.createdAt)
        }
        if let refusal = try registration.refusal(db, orderedAt: started) { return refusal }
        sweep.registered = try registration.apply(db, by: principal, at: now)
        guard sweep.registered == nil else { return nil }
        return
            "trial \(best.number) is the best, but its script logged no model to register as "
            + "\(name); log one, as in `mlflow.sklearn.log_model(model, name=\"model\")`"
    }
}
