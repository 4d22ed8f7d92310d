package import AloftDomain
package import Foundation

/// The tracking run that a job is.
package enum JobRuns {
    /// Creates the run of a job about to be queued, in the experiment of its project and name, and
    /// notes both in `spec`.
    package static func create(
        _ db: Transaction, _ run: RunID, of job: JobID, for spec: inout JobSpec, at now: Date,
        by who: Principal
    ) throws {
        try ProjectQueries.ensure(db, spec.project, at: now)
        let experiment = try TrackingQueries.ensureExperiment(
            db, name: "\(spec.project)/\(spec.name)", project: spec.project, at: now)
        // Values are tags, not params: a script that logs a param itself may write it otherwise, and
        // a param cannot be logged twice with two texts.
        var tags = spec.parameters.sorted { $0.key < $1.key }
            .map { NamedText(key: "aloft.parameter.\($0.key)", value: $0.value) }
        tags.append(NamedText(key: "aloft.job", value: job.rawValue))
        tags += Self.tags(of: spec.code)
        var new = NewRun(
            id: run, experiment: experiment, name: spec.name, user: who.description,
            status: .scheduled, startTime: now.millisecondsSince1970, tags: tags)
        if let person = try PersonQueries.name(db, who) { new.setUser(person) }
        try TrackingQueries.createRun(db, new)
        spec.run = run
        spec.experiment = experiment
    }

    /// Where the code comes from, as MLflow's own clients note it.
    package static func tags(of code: CodeOrigin?) -> [NamedText] {
        guard let code else { return [] }
        var tags = [NamedText(key: "mlflow.source.git.commit", value: code.commit)]
        if let branch = code.branch {
            tags.append(NamedText(key: "mlflow.source.git.branch", value: branch))
        }
        if let remote = code.remote {
            tags.append(NamedText(key: "mlflow.source.git.repoURL", value: remote))
        }
        if code.isDirty { tags.append(NamedText(key: "aloft.code.uncommitted", value: "true")) }
        if let diff = code.diff {
            tags.append(NamedText(key: "aloft.code.diff", value: diff.hex))
        }
        return tags
    }

    /// Moves a job's run, to which nothing is logged yet, to another experiment that is not deleted.
    ///
    /// - Returns: whether it moved.
    package static func move(
        _ db: Transaction, _ run: RunID, of job: JobID, to experiment: ExperimentID
    ) throws -> Bool {
        guard let target = try TrackingQueries.experiment(db, experiment),
            target.stage == .active, let number = Int64(experiment.rawValue)
        else { return false }
        let place: Int64? = try db.firstValue(
            """
            SELECT r.number FROM run r JOIN job j ON j.run = r.id
            WHERE r.id = ? AND j.id = ? AND r.experiment <> ? AND r.lifecycleStage = 'active'
                AND NOT EXISTS (SELECT 1 FROM latestMetric m WHERE m.run = r.number)
                AND NOT EXISTS (SELECT 1 FROM runParam p WHERE p.run = r.number)
                AND NOT EXISTS (SELECT 1 FROM runDataset d WHERE d.run = r.number)
            """, [run.rawValue, job.rawValue, number])
        guard let place else { return false }
        try db.perform("UPDATE run SET experiment = ? WHERE number = ?", [number, place])
        try db.perform("UPDATE runTag SET experiment = ? WHERE run = ?", [number, place])
        return true
    }

    /// The run's status follows the job's; a run that the script ended itself keeps its own.
    static func follow(
        _ db: Transaction, _ effect: JobLifecycle.Effect, of job: JobRecord, at now: Date
    ) throws {
        guard let run = job.spec.run else { return }
        switch effect {
        case .startRun: try TrackingQueries.setStatus(db, run, .running, at: now)
        case .endRun(.succeeded): try TrackingQueries.setStatus(db, run, .finished, at: now)
        case .endRun(.failed): try TrackingQueries.setStatus(db, run, .failed, at: now)
        case .endRun(.stopped): try TrackingQueries.setStatus(db, run, .killed, at: now)
        case .openAttempt, .closeAttempt, .endToken: break
        }
    }
}
