package import AloftDomain
package import Foundation

package enum RevisionQueries {
    /// A new revision of `deployment`, waiting.
    package static func insert(
        _ db: Transaction, id: RevisionID, deployment: DeploymentRecord, version: ModelVersionKey,
        policy: RolloutPolicy, checks: [CheckExpression], why: String? = nil, at now: Date,
        by who: Principal
    ) throws -> RevisionRecord {
        let number =
            try db.value(
                of: Int.self,
                sql: """
                    UPDATE deployment SET lastNumber = lastNumber + 1 WHERE id = ?
                    RETURNING lastNumber
                    """, arguments: [deployment.id.rawValue]) ?? 1
        try db.execute(
            sql: """
                INSERT INTO revision (id, deployment, number, model, version, policy, checks, state,
                    createdAt, createdBy)
                VALUES (?, ?, ?, ?, ?, ?, ?, 'waiting', ?, ?)
                """,
            arguments: [
                id.rawValue, deployment.id.rawValue, number, version.model, version.version,
                try StoredJSON.text(policy), try StoredJSON.text(checks), now.stamp,
                who.description,
            ])
        try EventLog.append(
            db, at: now, project: deployment.project, entity: "revision", entityID: id.rawValue,
            what: "created", who: who, why: why,
            payload: [
                "deployment": .string(deployment.name),
                "environment": .string(deployment.environment), "number": .int(Int64(number)),
                "version": .string(version.description),
            ])
        return RevisionRecord(
            id: id, deployment: deployment.id, number: number, version: version, servable: nil,
            policy: policy, checks: checks, lifecycle: RevisionLifecycle(), createdAt: now,
            createdBy: who.description, releasedAt: nil, liveAt: nil, endedAt: nil, changes: 0)
    }

    package static func find(_ db: Transaction, _ id: RevisionID) throws -> RevisionRecord? {
        try db.row(
            sql: "SELECT * FROM revision WHERE id = ?", arguments: [id.rawValue]
        ).map(record)
    }

    package static func find(
        _ db: Transaction, of deployment: DeploymentID, number: Int
    ) throws -> RevisionRecord? {
        try db.row(
            sql: "SELECT * FROM revision WHERE deployment = ? AND number = ?",
            arguments: [deployment.rawValue, number]
        ).map(record)
    }

    /// The one revision of `deployment` in this state.
    package static func live(_ db: Transaction, of deployment: DeploymentID) throws
        -> RevisionRecord?
    {
        try db.row(
            sql: "SELECT * FROM revision WHERE deployment = ? AND state = 'live'",
            arguments: [deployment.rawValue]
        ).map(record)
    }

    package static func standby(
        _ db: Transaction, of deployment: DeploymentID
    ) throws -> RevisionRecord? {
        try db.row(
            sql: "SELECT * FROM revision WHERE deployment = ? AND state = 'standby'",
            arguments: [deployment.rawValue]
        ).map(record)
    }

    package static func underWay(
        _ db: Transaction, of deployment: DeploymentID
    ) throws -> RevisionRecord? {
        try db.row(
            sql: """
                SELECT * FROM revision
                WHERE deployment = ? AND state IN ('waiting', 'warming', 'rolling')
                """, arguments: [deployment.rawValue]
        ).map(record)
    }

    /// The last revision that was retired in good standing before `live`.
    package static func lastRetired(
        _ db: Transaction, of deployment: DeploymentID, before number: Int
    ) throws -> RevisionRecord? {
        try db.row(
            sql: """
                SELECT * FROM revision
                WHERE deployment = ? AND number < ? AND state = 'ended' AND ending = 'retired'
                ORDER BY liveAt DESC, number DESC LIMIT 1
                """, arguments: [deployment.rawValue, number]
        ).map(record)
    }

    /// Newest first, at most `limit`.
    package static func list(
        _ db: Transaction, of deployment: DeploymentID, limit: Int
    ) throws -> [RevisionRecord] {
        try db.rows(
            sql: "SELECT * FROM revision WHERE deployment = ? ORDER BY number DESC LIMIT ?",
            arguments: [deployment.rawValue, limit]
        ).map(record)
    }

    /// Checks of revisions of this version that passed everything in `environment`, as written.
    package static func passedChecks(
        _ db: Transaction, version: ModelVersionKey, environment: String
            // text: the project's own checks
    ) throws -> Set<String> {
        Set(
            try db.values(
                of: String.self,
                sql: """
                    SELECT c.source FROM revision r
                    JOIN deployment d ON d.id = r.deployment
                    JOIN checkResult c ON c.revision = r.id
                    WHERE r.model = ? AND r.version = ? AND d.environment = ?
                        AND r.releasedAt IS NOT NULL AND c.held
                    """, arguments: [version.model, version.version, environment]))
    }

    // MARK: - Checks

    package static func insertChecks(
        _ db: Transaction, _ results: [CheckResultRecord], of revision: RevisionID, at now: Date
    ) throws {
        for result in results {
            try db.execute(
                sql: """
                    INSERT INTO checkResult
                        (revision, position, source, held, leftValue, rightValue, explanation, at)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    revision.rawValue, result.position, result.source, result.held,
                    result.left, result.right, result.explanation, now.stamp,
                ])
        }
    }

    /// In the order of the project file.
    package static func checks(
        _ db: Transaction, of revision: RevisionID
    ) throws -> [CheckResultRecord] {
        try db.rows(
            sql: "SELECT * FROM checkResult WHERE revision = ? ORDER BY position",
            arguments: [revision.rawValue]
        ).map { row in
            try CheckResultRecord(
                position: row["position"], source: row["source"], held: row["held"],
                left: row["leftValue"], right: row["rightValue"], explanation: row["explanation"])
        }
    }

    // MARK: - Rows

    static func record(_ row: RowReader) throws -> RevisionRecord {
        try RevisionRecord(
            id: RevisionID(row["id"]), deployment: DeploymentID(row["deployment"]),
            number: row["number"],
            version: ModelVersionKey(model: row["model"], version: row["version"]),
            servable: row.optionalJSON("servable"), policy: row.json("policy"),
            checks: row.json("checks"), lifecycle: RevisionLifecycle(state: state(row)),
            createdAt: row.date("createdAt"), createdBy: row["createdBy"],
            releasedAt: row.optionalDate("releasedAt"),
            liveAt: row.optionalDate("liveAt"),
            endedAt: row.optionalDate("endedAt"), changes: row["changes"])
    }

    private static func state(_ row: RowReader) throws -> RevisionLifecycle.State {
        switch try row.word("state", as: RevisionLifecycle.State.Name.self) {
        case .waiting: return .waiting
        case .warming: return .warming
        case .rolling: return .rolling
        case .live: return .live
        case .standby: return .standby
        case .ended:
            return try .ended(RevisionEnd(row.word("ending"), reason: row["reason"] ?? ""))
        }
    }
}
