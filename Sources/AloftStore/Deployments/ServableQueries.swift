package import AloftDomain
package import Foundation

package enum ServableQueries {
    /// Adds a pending servable. Doing it again changes nothing.
    package static func insert(
        _ db: Transaction, _ version: ModelVersionKey, versionStamp: String, at now: Date
    ) throws {
        try db.execute(
            sql: """
                INSERT INTO servable (model, version, versionStamp, state, createdAt, updatedAt)
                VALUES (?, ?, ?, 'pending', ?, ?) ON CONFLICT (model, version) DO NOTHING
                """,
            arguments: [version.model, version.version, versionStamp, now.stamp, now.stamp])
    }

    /// Forgets what was made of a version that is gone, or that another has replaced.
    package static func delete(_ db: Transaction, _ version: ModelVersionKey) throws {
        try db.execute(
            sql: "DELETE FROM servable WHERE model = ? AND version = ?",
            arguments: [version.model, version.version])
    }

    package static func find(_ db: Transaction, _ version: ModelVersionKey) throws
        -> ServableRecord?
    {
        try db.row(
            sql: "SELECT * FROM servable WHERE model = ? AND version = ?",
            arguments: [version.model, version.version]
        ).map(record)
    }

    /// Those that wait for a conversion or are converted, oldest first, at most `limit`.
    package static func open(_ db: Transaction, limit: Int) throws -> [ServableRecord] {
        try db.rows(
            sql: """
                SELECT * FROM servable WHERE state IN ('pending', 'converting')
                ORDER BY createdAt, model, version LIMIT ?
                """, arguments: [limit]
        ).map(record)
    }

    /// Those of a model that are being converted.
    static func converting(_ db: Transaction, model: String) throws -> [ServableRecord] {
        try db.rows(
            sql: """
                SELECT * FROM servable WHERE model = ? AND state = 'converting' ORDER BY version
                """, arguments: [model]
        ).map(record)
    }

    /// Applies `event` and tells of it. News that changes nothing writes nothing.
    ///
    /// - Throws: `DeploymentError.versionNotFound` if there is no such servable,
    ///   `ServableLifecycle.Refused`.
    @discardableResult
    package static func apply(
        _ db: Transaction, _ event: ServableLifecycle.Event, to version: ModelVersionKey,
        project: ProjectID = .default, at now: Date, by who: Principal
    ) throws -> ServableRecord {
        guard var record = try find(db, version) else {
            throw DeploymentError.versionNotFound(version)
        }
        let before = record.lifecycle.state
        _ = try record.lifecycle.apply(event)
        let state = record.lifecycle.state
        guard state != before else { return record }
        if case .converting(let job) = state { record.job = job }
        var failure: ConversionFailure?
        if case .failed(let why) = state { failure = why }
        try db.execute(
            sql: """
                UPDATE servable SET state = ?, job = ?, digest = ?, servable = ?, failure = ?,
                    updatedAt = ?
                WHERE model = ? AND version = ? AND state = ?
                """,
            arguments: [
                state.name.rawValue, record.job?.rawValue, record.servable?.digest.hex,
                try record.servable.map(StoredJSON.text), try failure.map(StoredJSON.text),
                now.stamp, version.model, version.version, before.name.rawValue,
            ])
        try EventLog.appendCounted(
            db, at: now, project: project, entity: "servable", entityID: version.description,
            what: state.name.rawValue, who: who, why: failure?.reason)
        record.updatedAt = now
        return record
    }

    private static func record(_ row: RowReader) throws -> ServableRecord {
        try ServableRecord(
            version: ModelVersionKey(model: row["model"], version: row["version"]),
            versionStamp: row["versionStamp"],
            lifecycle: ServableLifecycle(state: state(row)),
            job: (row["job"] as String?).map(JobID.init),
            createdAt: row.date("createdAt"), updatedAt: row.date("updatedAt"))
    }

    private static func state(_ row: RowReader) throws -> ServableLifecycle.State {
        switch try row.word("state", as: ServableLifecycle.State.Name.self) {
        case .pending: return .pending
        case .converting: return .converting(JobID(try row["job"]))
        case .ready:
            return .ready(try row.json("servable"))
        case .failed: return .failed(try row.json("failure"))
        }
    }
}
