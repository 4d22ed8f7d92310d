import AloftCompute
import AloftDomain
import AloftStore
import Foundation
import Logging

extension JobController {
    /// Brings one placed job forward by what its executor knows.
    func advance(_ job: JobRecord) async throws {
        let observation: AttemptObservation
        do {
            observation = try await executor.observe(job.attempt)
        } catch {
            return try await endLease(of: job, because: error)
        }
        switch observation {
        case .absent: try await begin(job)
        case .preparing:
            try await renew(job)
            try await stopIfAsked(job)
        case .running:
            try await recordStart(of: job)
            try await stopIfAsked(job)
        case .ended(let report): try await finish(job, report)
        case .lost(let reason):
            // What is left of the attempt must be gone before another begins.
            try configuration.effects.willAct("forget a lost attempt")
            try await executor.forget(job.attempt)
            try await apply(.lost(attempt: job.attempt.number, reason: reason), to: job)
        }
    }

    private func apply(_ event: JobLifecycle.Event, to job: JobRecord) async throws {
        let now = time.now()
        try configuration.effects.willAct("move a job")
        try await store.write { db in
            _ = try JobQueries.apply(db, event, to: job.id, at: now, by: Self.who)
        }
    }

    /// Makes the attempt begin, or ends a job that was stopped before it could.
    private func begin(_ job: JobRecord) async throws {
        let number = job.attempt.number
        switch job.state {
        case .queued, .ended: return
        case .stopping: return try await apply(.ended(attempt: number, .stopped), to: job)
        case .running:
            return try await apply(
                .lost(attempt: number, reason: "the attempt's files are gone"), to: job)
        case .starting: break
        }
        do {
            let launch = try await launch(job)
            try configuration.effects.willAct("start an attempt")
            try await executor.start(launch)
        } catch let error as ComputeError {
            try await apply(
                .ended(attempt: number, .failed(.notStarted(reason: error.message))), to: job)
        }
    }

    private func launch(_ job: JobRecord) async throws -> JobLaunch {
        let secret = JobTokens.secret(key: configuration.tokenKey, attempt: job.attempt)
        let token: TokenID = chance.identifier()
        let now = time.now()
        try configuration.effects.willAct("give a token")
        let attempts = try await store.write { db in
            try JobQueries.giveToken(db, to: job, id: token, secret: secret, at: now)
            return try JobQueries.attempts(db, of: job.id)
        }
        let spec = job.spec
        var variables = [
            "MLFLOW_TRACKING_URI": configuration.serverURL, "MLFLOW_TRACKING_TOKEN": secret,
            "ALOFT_SERVER": configuration.serverURL, "ALOFT_TOKEN": secret,
            "ALOFT_PROJECT": spec.project.rawValue,
        ]
        variables["MLFLOW_RUN_ID"] = spec.run?.rawValue
        variables["MLFLOW_EXPERIMENT_ID"] = spec.experiment?.rawValue
        let (own, secrets) = try opened(spec.variables)
        variables.merge(own) { _, own in own }
        return JobLaunch(
            attempt: job.attempt, command: spec.command, variables: variables,
            snapshot: spec.snapshot.map {
                JobLaunch.Snapshot(digest: $0, path: configuration.blobPath($0))
            },
            python: spec.python, resources: spec.resources,
            gpuSlots: attempts.last { $0.id == job.attempt }?.gpuSlots ?? [],
            stopGrace: spec.stopGrace, masked: secrets + [secret])
    }

    private func opened(
        // text: names of variables, which are ASCII
        _ variables: [String: String]
            // text: the same
    ) throws -> (variables: [String: String], secrets: [String]) {
        do {
            return try VariableSealer(key: configuration.tokenKey).opened(variables)
        } catch let error as VariableSealer.Unreadable {
            throw ComputeError.cannotStart(reason: error.message)
        }
    }

    private func recordStart(of job: JobRecord) async throws {
        switch job.state {
        case .starting:
            try await apply(.started(attempt: job.attempt.number, leaseUntil: leaseEnd), to: job)
        case .running, .stopping: try await renew(job)
        case .queued, .ended: break
        }
    }

    /// Writes only when half of the lease is over, or when the clock was set back: a lease that ends
    /// tomorrow would keep a lost attempt for so long.
    private func renew(_ job: JobRecord) async throws {
        guard let until = job.state.leaseUntil else { return }
        let left = until.timeIntervalSince(time.now())
        guard left < Self.lease.seconds / 2 || left > Self.longestLeft else { return }
        try await apply(.seen(attempt: job.attempt.number, leaseUntil: leaseEnd), to: job)
    }

    private func stopIfAsked(_ job: JobRecord) async throws {
        guard job.state.name == .stopping else { return }
        try configuration.effects.willAct("stop an attempt")
        try await executor.stop(job.attempt, grace: job.spec.stopGrace)
    }

    private func finish(_ job: JobRecord, _ report: AttemptReport) async throws {
        let (now, leaseUntil) = (time.now(), leaseEnd)
        let number = job.attempt.number
        let usage = AttemptUsage(
            peakMemoryBytes: report.peakMemoryBytes, cpuSeconds: report.cpuSeconds)
        try configuration.effects.willAct("end a job")
        try await store.write { db in
            try JobQueries.recordUse(
                db, by: job.attempt, usage: usage, environment: report.environment, at: now)
            // A short command may be over before it was seen to run.
            if !report.neverRan {
                try JobQueries.apply(
                    db, .started(attempt: number, leaseUntil: leaseUntil), to: job.id, at: now,
                    by: Self.who)
            }
            let ended = try JobQueries.apply(
                db, .ended(attempt: number, report.end), to: job.id, at: now, by: Self.who)
            try Self.register(db, ended, at: now)
        }
        try configuration.effects.willAct("forget an attempt")
        try await executor.forget(job.attempt)
        logger.debug(
            "attempt ended", metadata: ["job": "\(job.id)", "attempt": "\(number)"])
    }

    /// A job that succeeded and `registers` a model gives its run's newest logged model a version, in
    /// the transaction that ends it. A script that logged none is told so on its run.
    private static func register(_ db: Transaction, _ job: JobRecord, at now: Date) throws {
        guard case .succeeded = job.outcome, let name = job.spec.registers,
            let run = job.spec.run
        else { return }
        let registration = RunRegistration(
            model: name, run: run, project: job.spec.project,
            tags: [NamedText(key: "aloft.job", value: job.id.rawValue)])
        let refusal = try registration.refusal(db, orderedAt: job.createdAt)
        if refusal == nil, try registration.apply(db, by: who, at: now) != nil { return }
        try EventLog.append(
            db, at: now, project: job.spec.project, entity: "job", entityID: job.id.rawValue,
            what: "registeredNothing", who: who,
            why: refusal
                ?? "the script logged no model to register as \(name); log one, as in "
                + "`mlflow.sklearn.log_model(model, name=\"model\")`")
    }

    /// The executor cannot say how the attempt is: it is given up when its lease is over.
    private func endLease(of job: JobRecord, because error: any Error) async throws {
        logger.error(
            "an attempt cannot be observed", metadata: ["job": "\(job.id)", "error": "\(error)"])
        guard let until = job.state.leaseUntil else { return }
        let left = until.timeIntervalSince(time.now())
        // Set back as the clock may be, it is given up when a lease's length has passed.
        if left > Self.longestLeft { return try await renew(job) }
        guard left < 0 else { return }
        try await apply(
            .lost(attempt: job.attempt.number, reason: "its executor did not answer"), to: job)
    }
}

extension AttemptReport {
    /// Whether it ended before its command began.
    fileprivate var neverRan: Bool {
        switch end {
        case .failed(.notStarted): true
        case .stopped, .interrupted: cpuSeconds == 0 && peakMemoryBytes == 0
        case .exited, .failed: false
        }
    }
}
