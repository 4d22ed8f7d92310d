package import AloftDomain
package import Foundation

extension JobQueries {
    /// Lets `event` happen to the job: its row, its attempt, its token, its run and the event feed
    /// change together. News of an older attempt changes nothing.
    ///
    /// - Throws: `JobError.notFound`; `JobLifecycle.Refused` if the event cannot happen now.
    @discardableResult
    package static func apply(
        _ db: Transaction, _ event: JobLifecycle.Event, to id: JobID, at now: Date,
        by who: Principal,
        why: String? = nil, gpuSlots: [String] = []
    ) throws -> JobRecord {
        var job = try get(db, id)
        let before = job.lifecycle
        let effects = try job.lifecycle.apply(event)
        guard job.lifecycle != before else { return job }
        if case .stopRequested = event { job.stopReason = why }
        if effects.contains(.startRun), job.startedAt == nil { job.startedAt = now }
        if job.outcome != nil { job.endedAt = now }
        try save(db, &job)
        for effect in effects { try perform(db, effect, of: job, at: now, gpuSlots: gpuSlots) }
        if effects.contains(.startRun) { try markStarted(db, job.attempt, at: now) }
        if job.state.name != before.state.name || job.state.attempt != before.state.attempt {
            try announce(db, job, at: now, by: who, why: why)
        }
        return job
    }

    /// Like `apply`, but leaves alone a job that has left the queue since it was looked at.
    package static func applyIfQueued(
        _ db: Transaction, _ event: JobLifecycle.Event, to id: JobID, at now: Date,
        by who: Principal,
        gpuSlots: [String] = []
    ) throws {
        guard try get(db, id).state.name == .queued else { return }
        try apply(db, event, to: id, at: now, by: who, gpuSlots: gpuSlots)
    }

    private static func save(_ db: Transaction, _ job: inout JobRecord) throws {
        let outcome = job.outcome.map(JobText.outcome)
        try db.execute(
            sql: """
                UPDATE job SET state = ?, attempt = ?, leaseUntil = ?, outcome = ?, failure = ?,
                    stopReason = ?, startedAt = ?, endedAt = ?, revision = revision + 1
                WHERE id = ? AND revision = ?
                """,
            arguments: [
                job.state.name.rawValue, job.state.attempt, job.state.leaseUntil?.stamp,
                outcome?.name, try outcome?.failure.map(StoredJSON.text), job.stopReason,
                job.startedAt?.stamp, job.endedAt?.stamp, job.id.rawValue, job.revision,
            ])
        // One transaction reads and writes: nobody can have been between.
        precondition(db.changesCount == 1, "a job changed while its transaction held it")
        job.revision += 1
    }

    private static func perform(
        _ db: Transaction, _ effect: JobLifecycle.Effect, of job: JobRecord, at now: Date,
        gpuSlots: [String]
    ) throws {
        switch effect {
        case .openAttempt(let number):
            try db.execute(
                sql: "INSERT INTO attempt (job, number, gpuSlots, claimedAt) VALUES (?, ?, ?, ?)",
                arguments: [job.id.rawValue, number, try StoredJSON.text(gpuSlots), now.stamp])
        case .closeAttempt(let number, let how):
            try db.execute(
                sql: """
                    UPDATE attempt SET endedAt = ?, howEnded = ?
                    WHERE job = ? AND number = ? AND endedAt IS NULL
                    """,
                arguments: [now.stamp, try StoredJSON.text(how), job.id.rawValue, number])
        case .startRun, .endRun:
            try JobRuns.follow(db, effect, of: job, at: now)
        case .endToken:
            try TokenQueries.revoke(db, kind: .job, name: job.id.rawValue, at: now)
        }
    }

    private static func markStarted(_ db: Transaction, _ attempt: AttemptID, at now: Date) throws {
        try db.execute(
            sql: "UPDATE attempt SET startedAt = ? WHERE job = ? AND number = ?",
            arguments: [now.stamp, attempt.job.rawValue, attempt.number])
    }

    private static func announce(
        _ db: Transaction, _ job: JobRecord, at now: Date, by who: Principal, why: String?
    ) throws {
        var payload: [String: JSONValue] = [
            "name": .string(job.spec.name), "attempt": .int(Int64(job.state.attempt)),
        ]
        var what = job.state.name.rawValue
        var why = why
        switch job.state {
        case .queued: what = "requeued"
        case .starting, .running, .stopping: break
        case .ended(_, let outcome):
            what = JobText.outcome(outcome).name
            if case .failed(let failure) = outcome {
                payload["code"] = .string(failure.code)
                why = why ?? failure.message
            }
        }
        try EventLog.append(
            db, at: now, project: job.spec.project, entity: "job", entityID: job.id.rawValue,
            what: what, who: who, why: why, payload: payload)
    }
}
