package import AloftDomain
package import Foundation

package enum SweepQueries {
    package static func insert(
        _ db: Transaction, _ new: NewSweep, at now: Date, by who: Principal
    ) throws {
        try ProjectQueries.ensure(db, new.project, at: now)
        try db.execute(
            sql: """
                INSERT INTO sweep (id, project, job, definition, fileRevision, snapshot, state,
                    searcher, stopping, createdAt, createdBy)
                VALUES (?, ?, ?, ?, ?, ?, 'running', ?, ?, ?, ?)
                """,
            arguments: [
                new.id.rawValue, new.project.rawValue, new.definition.name,
                try StoredJSON.text(new.definition), new.fileRevision, new.snapshot?.hex,
                new.searcher, new.stopping, now.stamp, who.description,
            ])
        try EventLog.append(
            db, at: now, project: new.project, entity: "sweep", entityID: new.id.rawValue,
            what: "started", who: who,
            payload: [
                "job": .string(new.definition.name),
                "trials": .int(Int64(new.definition.sweep?.trials ?? 0)),
            ])
    }

    package static func find(_ db: Transaction, _ id: SweepID) throws -> SweepRecord? {
        try db.row(sql: "SELECT * FROM sweep WHERE id = ?", arguments: [id.rawValue])
            .map(SweepText.sweep)
    }

    /// The sweep whose identifier is, or alone begins with, `prefix`.
    ///
    /// - Throws: `SweepError.notFound` if there is none; `SweepError.invalid` if there are several.
    package static func get(_ db: Transaction, prefix: String) throws -> SweepRecord {
        let rows = try db.rows(
            sql: "SELECT * FROM sweep WHERE id >= ? AND id < ? ORDER BY id LIMIT 6",
            arguments: [prefix, prefix + "\u{7F}"])
        guard let row = rows.first, !prefix.isEmpty else { throw SweepError.notFound(prefix) }
        guard try rows.count == 1 || row["id"] == prefix else {
            throw SweepError.invalid(
                reason: ambiguousPrefix("sweeps", prefix, try rows.map { try $0["id"] }))
        }
        return try SweepText.sweep(row)
    }

    /// Every sweep that has not ended, oldest first.
    package static func live(_ db: Transaction) throws -> [SweepRecord] {
        try db.rows(
            sql: "SELECT * FROM sweep WHERE state <> 'ended' ORDER BY createdAt, id"
        ).map(SweepText.sweep)
    }

    /// Newest first, at most `limit`; of one project if it is named.
    package static func list(
        _ db: Transaction, project: ProjectID?, limit: Int
    ) throws -> [SweepRecord] {
        let rows =
            if let project {
                try db.rows(
                    sql: """
                        SELECT * FROM sweep WHERE project = ?
                        ORDER BY createdAt DESC, id DESC LIMIT ?
                        """, arguments: [project.rawValue, limit])
            } else {
                try db.rows(
                    sql: "SELECT * FROM sweep ORDER BY createdAt DESC, id DESC LIMIT ?",
                    arguments: [limit])
            }
        return try rows.map(SweepText.sweep)
    }

    /// Writes what may change of a sweep if nobody was first, and says so in the event feed where its
    /// state is another.
    ///
    /// - Returns: false, with nothing written, if the stored revision is not the record's.
    package static func update(
        _ db: Transaction, _ sweep: SweepRecord, at now: Date, by who: Principal
    ) throws -> Bool {
        let state = SweepText.columns(sweep.state)
        let before = try db.value(
            of: String.self, sql: "SELECT state FROM sweep WHERE id = ? AND revision = ?",
            arguments: [sweep.id.rawValue, sweep.revision])
        guard let before else { return false }
        try db.execute(
            sql: """
                UPDATE sweep SET state = ?, outcome = ?, reason = ?, best = ?, searcher = ?,
                    stopping = ?, isExhausted = ?, registeredModel = ?, registeredVersion = ?,
                    endedAt = ?, revision = revision + 1
                WHERE id = ? AND revision = ?
                """,
            arguments: [
                state.name, state.outcome, state.reason, state.best, sweep.searcher, sweep.stopping,
                sweep.isExhausted, sweep.registered?.model, sweep.registered?.version,
                state.name == "ended" ? now.stamp : nil, sweep.id.rawValue, sweep.revision,
            ])
        if before != state.name {
            try EventLog.append(
                db, at: now, project: sweep.project, entity: "sweep",
                entityID: sweep.id.rawValue,
                what: state.name == "ended" ? state.outcome ?? "ended" : state.name, who: who,
                why: state.reason, payload: ["best": state.best.map { .int(Int64($0)) } ?? .null])
        }
        return true
    }
}
