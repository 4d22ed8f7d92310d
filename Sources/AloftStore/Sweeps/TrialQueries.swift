package import AloftDomain
package import Foundation

package enum TrialQueries {
    package static func insert(
        _ db: Transaction, _ trial: TrialRecord, project: ProjectID, at now: Date, by who: Principal
    ) throws {
        try db.execute(
            sql: """
                INSERT INTO trial (sweep, number, point, run, job, state, createdAt)
                VALUES (?, ?, ?, ?, ?, 'running', ?)
                """,
            arguments: [
                trial.sweep.rawValue, trial.number, try StoredJSON.text(trial.point),
                trial.run.rawValue, trial.job.rawValue, now.stamp,
            ])
        try announce(db, trial, "started", project, at: now, by: who)
    }

    /// Every trial of a sweep, in order.
    package static func list(_ db: Transaction, of sweep: SweepID) throws -> [TrialRecord] {
        try db.rows(
            sql: "SELECT * FROM trial WHERE sweep = ? ORDER BY number",
            arguments: [sweep.rawValue]
        ).map(SweepText.trial)
    }

    package static func count(_ db: Transaction, of sweep: SweepID) throws -> Int {
        try db.value(
            of: Int.self, sql: "SELECT count(*) FROM trial WHERE sweep = ?",
            arguments: [sweep.rawValue]) ?? 0
    }

    /// Writes a trial's state, which must be another than the stored one.
    package static func update(
        _ db: Transaction, _ trial: TrialRecord, project: ProjectID, at now: Date, by who: Principal
    ) throws {
        let state = SweepText.columns(trial.state)
        try db.execute(
            sql: """
                UPDATE trial SET state = ?, outcome = ?, rung = coalesce(?, rung), objective = ?,
                    step = ?, reason = ?, endedAt = ?
                WHERE sweep = ? AND number = ? AND state <> 'ended'
                """,
            arguments: [
                state.name, state.outcome, state.rung, state.objective?.value,
                state.objective?.step, state.reason, state.outcome == nil ? nil : now.stamp,
                trial.sweep.rawValue, trial.number,
            ])
        precondition(db.changesCount == 1, "a trial changed without its sweep")
        try announce(
            db, trial, state.outcome ?? state.name, project, at: now, by: who, why: state.reason)
    }

    private static func announce(
        _ db: Transaction, _ trial: TrialRecord, _ what: String, _ project: ProjectID, at now: Date,
        by who: Principal, why: String? = nil
    ) throws {
        try EventLog.append(
            db, at: now, project: project, entity: "trial",
            entityID: "\(trial.sweep)/\(trial.number)", what: what, who: who, why: why,
            payload: ["run": .string(trial.run.rawValue), "job": .string(trial.job.rawValue)])
    }
}
