package import AloftDomain
import Foundation

package enum RolloutQueries {
    package static func find(_ db: Transaction, of revision: RevisionID) throws -> RolloutRecord? {
        try db.row(
            sql: "SELECT * FROM rollout WHERE revision = ?", arguments: [revision.rawValue]
        ).map(record)
    }

    /// The rollout's steps in order, with what came during each.
    package static func steps(
        _ db: Transaction, of rollout: RolloutRecord
    ) throws -> [RolloutStepRecord] {
        try db.rows(
            sql: "SELECT * FROM rolloutStep WHERE rollout = ? ORDER BY step",
            arguments: [rollout.id.rawValue]
        ).map { try step($0, of: rollout, db) }
    }

    /// Begins the rollout of a revision against the one that is live.
    static func open(
        _ db: Transaction, for revision: RevisionRecord, _ context: ChangeContext
    ) throws {
        guard let live = try RevisionQueries.live(db, of: revision.deployment) else {
            throw StalePlan()
        }
        let now = context.now
        let record = RolloutRecord(
            id: context.chance.identifier(), revision: revision.id, baseline: live.id,
            lifecycle: RolloutLifecycle(
                stepCount: revision.policy.watchedSteps, state: .running(step: 0, since: now)),
            createdAt: now, endedAt: nil, changes: 0)
        try db.execute(
            sql: """
                INSERT INTO rollout
                    (id, revision, baseline, stepCount, state, step, stepSince, createdAt)
                VALUES (?, ?, ?, ?, 'running', 0, ?, ?)
                """,
            arguments: [
                record.id.rawValue, revision.id.rawValue, live.id.rawValue,
                revision.policy.watchedSteps, now.stamp, now.stamp,
            ])
        try openStep(db, 0, of: record, policy: revision.policy, context)
        try tell(db, record, what: "started", reason: nil, context)
    }

    /// Applies `event` to the rollout as `record` shows it; writes down what its steps saw and tells
    /// of it. Does not touch the revision.
    ///
    /// - Throws: `StalePlan` if the row has changed since `record` was read,
    ///   `RolloutLifecycle.Refused` if the event cannot happen.
    @discardableResult
    package static func apply(
        _ db: Transaction, _ event: RolloutLifecycle.Event, to record: RolloutRecord,
        reason: String?, _ context: ChangeContext
    ) throws -> RolloutRecord {
        guard let current = try find(db, of: record.revision), current.changes == record.changes,
            let revision = try RevisionQueries.find(db, record.revision)
        else { throw StalePlan() }
        var record = current
        let effects = try record.lifecycle.apply(event)
        // A step may begin in the moment in which it opened.
        guard record.lifecycle != current.lifecycle || !effects.isEmpty else { return record }
        for effect in effects {
            switch effect {
            case .closeStep(let step):
                try closeStep(db, step, of: record, reason: reason, context)
            case .openStep(let step):
                try openStep(db, step, of: record, policy: revision.policy, context)
            case .beginStep(let step):
                try db.execute(
                    sql: "UPDATE rolloutStep SET followedAt = ? WHERE rollout = ? AND step = ?",
                    arguments: [context.now.stamp, record.id.rawValue, step])
            }
        }
        if record.state.isOver { record.endedAt = context.now }
        try update(db, &record)
        try tell(db, record, what: name(of: event), reason: reason, context)
        if case .advanced = event {
            try DesiredStateQueries.refresh(db, weightsOf: revision.deployment)
        }
        return record
    }

    private static func name(of event: RolloutLifecycle.Event) -> String {
        switch event {
        case .advanced: "advanced"
        case .followed: "followed"
        case .promoted: "promoted"
        case .aborted: "aborted"
        case .paused: "paused"
        case .resumed: "resumed"
        }
    }

    private static func update(_ db: Transaction, _ record: inout RolloutRecord) throws {
        var since: Date?
        var pausedAt: Date?
        var reason: String?
        switch record.state {
        case .running(_, let began): since = began
        case .paused(_, let began, let stopped): (since, pausedAt) = (began, stopped)
        case .promoted: break
        case .aborted(_, let why): reason = why
        }
        try db.execute(
            sql: """
                UPDATE rollout SET state = ?, step = ?, stepSince = ?, pausedAt = ?, reason = ?,
                    endedAt = ?, changes = changes + 1
                WHERE id = ? AND changes = ?
                """,
            arguments: [
                record.state.name.rawValue, record.state.step, since?.stamp, pausedAt?.stamp,
                reason, record.endedAt?.stamp, record.id.rawValue, record.changes,
            ])
        guard db.changesCount == 1 else { throw StalePlan() }
        record.changes += 1
    }

    // MARK: - Steps

    private static func openStep(
        _ db: Transaction, _ step: Int, of rollout: RolloutRecord, policy: RolloutPolicy,
        _ context: ChangeContext
    ) throws {
        let reading = try reading(db, of: rollout)
        try db.execute(
            sql: """
                INSERT INTO rolloutStep
                    (rollout, step, weightPercent, slowSeconds, startedAt, startReading)
                VALUES (?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                rollout.id.rawValue, step, policy.stepsPercent[step],
                reading.baseline.slowSeconds, context.now.stamp, try StoredJSON.text(reading),
            ])
    }

    private static func closeStep(
        _ db: Transaction, _ step: Int, of rollout: RolloutRecord, reason: String?,
        _ context: ChangeContext
    ) throws {
        guard
            let row = try db.row(
                sql: "SELECT * FROM rolloutStep WHERE rollout = ? AND step = ?",
                arguments: [rollout.id.rawValue, step])
        else { throw StalePlan() }
        let traffic = try self.step(row, of: rollout, db).traffic
        let verdict: RolloutStepRecord.Verdict =
            switch rollout.state {
            case .running, .paused: .advanced
            case .promoted: .promoted
            case .aborted: .aborted
            }
        try db.execute(
            sql: """
                UPDATE rolloutStep SET endedAt = ?, traffic = ?, verdict = ?, reason = ?
                WHERE rollout = ? AND step = ? AND endedAt IS NULL
                """,
            arguments: [
                context.now.stamp, try StoredJSON.text(traffic), verdict.rawValue, reason ?? "",
                rollout.id.rawValue, step,
            ])
    }

    /// The sums of candidate and baseline now.
    private static func reading(_ db: Transaction, of rollout: RolloutRecord) throws -> StepTraffic
    {
        StepTraffic(
            candidate: try GatewayQueries.traffic(db, of: rollout.revision),
            baseline: try GatewayQueries.traffic(db, of: rollout.baseline))
    }

    private static func step(
        _ row: RowReader, of rollout: RolloutRecord, _ db: Transaction
    ) throws -> RolloutStepRecord {
        let start = try row.json("startReading", as: StepTraffic.self)
        let stored = try row.optionalJSON("traffic", as: StepTraffic.self)
        var end: RolloutStepRecord.End?
        if let endedAt = try row.optionalDate("endedAt") {
            end = try .init(
                at: endedAt, verdict: row.word("verdict"), reason: row["reason"] ?? "")
        }
        return try RolloutStepRecord(
            step: row["step"], weightPercent: row["weightPercent"],
            slowSeconds: row["slowSeconds"], startedAt: row.date("startedAt"),
            followedAt: row.optionalDate("followedAt"), startReading: start,
            traffic: stored ?? reading(db, of: rollout).since(start), end: end)
    }

    // MARK: - Rows

    private static func tell(
        _ db: Transaction, _ record: RolloutRecord, what: String, reason: String?,
        _ context: ChangeContext
    ) throws {
        guard let revision = try RevisionQueries.find(db, record.revision),
            let deployment = try DeploymentQueries.find(db, revision.deployment)
        else { return }
        let step = record.state.step
        try EventLog.append(
            db, at: context.now, project: deployment.project, entity: "rollout",
            entityID: record.id.rawValue, what: what, who: context.who, why: reason,
            payload: [
                "deployment": .string(deployment.name),
                "environment": .string(deployment.environment),
                "number": .int(Int64(revision.number)), "step": .int(Int64(step)),
                "weightPercent": .double(revision.policy.stepsPercent[step]),
            ])
    }

    private static func record(_ row: RowReader) throws -> RolloutRecord {
        try RolloutRecord(
            id: RolloutID(row["id"]), revision: RevisionID(row["revision"]),
            baseline: RevisionID(row["baseline"]),
            lifecycle: RolloutLifecycle(stepCount: row["stepCount"], state: state(row)),
            createdAt: row.date("createdAt"), endedAt: row.optionalDate("endedAt"),
            changes: row["changes"])
    }

    private static func state(_ row: RowReader) throws -> RolloutLifecycle.State {
        let step: Int = try row["step"]
        switch try row.word("state", as: RolloutLifecycle.State.Name.self) {
        case .running:
            return .running(step: step, since: try row.date("stepSince"))
        case .paused:
            return .paused(
                step: step, since: try row.date("stepSince"),
                pausedAt: try row.date("pausedAt"))
        case .promoted: return .promoted(step: step)
        case .aborted: return .aborted(step: step, reason: try row["reason"] ?? "")
        }
    }
}
