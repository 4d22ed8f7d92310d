package import AloftDomain
package import Foundation

/// Somebody else changed the row first; look again.
package struct StalePlan: Error {
    package init() {}
}

/// Who changes something, when and why; and the identifiers that a change may need.
package struct ChangeContext: Sendable {
    package var now: Date
    package var who: Principal
    package var chance: Chance

    package init(now: Date, who: Principal, chance: Chance) {
        self.now = now
        self.who = who
        self.chance = chance
    }
}

extension RevisionQueries {
    /// Applies `event` to the revision as `record` shows it, does what follows from it (its rollout,
    /// the revision that was live before, what gateways are to serve) and tells of it.
    ///
    /// - Parameters:
    ///   - servable: with `.admitted`: what it is made from.
    ///   - reason: why, in a person's words; kept with the rollout's step.
    /// - Throws: `StalePlan` if the row has changed since `record` was read,
    ///   `RevisionLifecycle.Refused` if the event cannot happen.
    @discardableResult
    package static func apply(
        _ db: Transaction, _ event: RevisionLifecycle.Event, to record: RevisionRecord,
        servable: Servable? = nil, reason: String? = nil, _ context: ChangeContext
    ) throws -> RevisionRecord {
        guard let current = try find(db, record.id), current.changes == record.changes else {
            throw StalePlan()
        }
        var record = current
        let effects = try record.lifecycle.apply(event)
        for effect in effects {
            switch effect {
            case .openRollout: break  // after the row, which it refers to
            case .closeRollout: try closeRollout(db, of: record, reason: reason, context)
            case .takeOver: try makeRoom(db, for: record, context)
            }
        }
        let now = context.now
        if let servable { record.servable = servable }
        switch record.state {
        case .rolling: record.releasedAt = now
        case .live:
            record.releasedAt = record.releasedAt ?? now
            record.liveAt = now
        case .ended: record.endedAt = now
        case .waiting, .warming, .standby: break
        }
        try update(db, &record)
        if effects.contains(.openRollout) {
            try RolloutQueries.open(db, for: record, context)
        }
        if record.state.end != nil { try GatewayQueries.forget(db, revision: record.id) }
        try tell(db, record, reason: reason, context)
        try DesiredStateQueries.refresh(db, weightsOf: record.deployment)
        return record
    }

    /// Puts traffic back to the revision on standby at once; the live one is over.
    ///
    /// - Returns: the revision that is live now.
    /// - Throws: `StalePlan` if there is no live revision or none on standby.
    package static func restoreStandby(
        _ db: Transaction, of deployment: DeploymentID, reason: String, _ context: ChangeContext
    ) throws -> RevisionRecord {
        guard var live = try live(db, of: deployment),
            var standby = try standby(db, of: deployment)
        else { throw StalePlan() }
        _ = try live.lifecycle.apply(.rolledBack(reason: reason))
        live.endedAt = context.now
        try update(db, &live)
        try GatewayQueries.forget(db, revision: live.id)
        try tell(db, live, reason: reason, context)
        _ = try standby.lifecycle.apply(.restored)
        standby.liveAt = context.now
        try update(db, &standby)
        try tell(db, standby, reason: reason, context)
        try DesiredStateQueries.refresh(db, weightsOf: deployment)
        return standby
    }

    /// Closes the rollout as the revision's new state says.
    private static func closeRollout(
        _ db: Transaction, of record: RevisionRecord, reason: String?, _ context: ChangeContext
    ) throws {
        guard let rollout = try RolloutQueries.find(db, of: record.id) else { return }
        let event: RolloutLifecycle.Event =
            record.state.end.map { .aborted(reason: $0.reason) } ?? .promoted
        try RolloutQueries.apply(
            db, event, to: rollout, reason: record.state.end?.reason ?? reason, context)
    }

    /// The one that is live goes on standby, and the one on standby out of memory.
    private static func makeRoom(
        _ db: Transaction, for record: RevisionRecord, _ context: ChangeContext
    ) throws {
        guard var live = try live(db, of: record.deployment) else { return }
        if var standby = try standby(db, of: record.deployment) {
            _ = try standby.lifecycle.apply(.retired)
            standby.endedAt = context.now
            try update(db, &standby)
            try tell(db, standby, reason: nil, context)
            try GatewayQueries.forget(db, revision: standby.id)
        }
        _ = try live.lifecycle.apply(.replaced)
        try update(db, &live)
        try tell(db, live, reason: "revision \(record.number) is live", context)
    }

    private static func update(_ db: Transaction, _ record: inout RevisionRecord) throws {
        try db.execute(
            sql: """
                UPDATE revision SET state = ?, ending = ?, reason = ?, servable = ?, releasedAt = ?,
                    liveAt = ?, endedAt = ?, changes = changes + 1
                WHERE id = ? AND changes = ?
                """,
            arguments: [
                record.state.name.rawValue, record.state.end?.name.rawValue,
                record.state.end?.reason, try record.servable.map(StoredJSON.text),
                record.releasedAt?.stamp, record.liveAt?.stamp, record.endedAt?.stamp,
                record.id.rawValue, record.changes,
            ])
        guard db.changesCount == 1 else { throw StalePlan() }
        record.changes += 1
    }

    private static func tell(
        _ db: Transaction, _ record: RevisionRecord, reason: String?, _ context: ChangeContext
    ) throws {
        guard let deployment = try DeploymentQueries.find(db, record.deployment) else { return }
        let what = record.state.end?.name.rawValue ?? record.state.name.rawValue
        try EventLog.append(
            db, at: context.now, project: deployment.project, entity: "revision",
            entityID: record.id.rawValue, what: what, who: context.who,
            why: record.state.end?.reason ?? reason,
            payload: [
                "deployment": .string(deployment.name),
                "environment": .string(deployment.environment),
                "number": .int(Int64(record.number)),
                "version": .string(record.version.description),
            ])
    }
}
