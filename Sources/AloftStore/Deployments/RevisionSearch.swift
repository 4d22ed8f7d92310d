import AloftDomain

/// What to look for over all deployments.
package struct RevisionSearch: Sendable {
    package var model: String?
    package var version: Int?
    /// Only those that were rejected, failed or were aborted.
    package var onlyBad: Bool
    /// At least 1.
    package var limit: Int

    package init(model: String?, version: Int?, onlyBad: Bool, limit: Int) {
        self.model = model
        self.version = version
        self.onlyBad = onlyBad
        self.limit = limit
    }
}

extension RevisionQueries {
    package typealias Found = (record: RevisionRecord, deployment: DeploymentRecord)

    /// Newest first.
    package static func search(_ db: Transaction, _ search: RevisionSearch) throws -> [Found] {
        let rows = try db.rows(
            sql: """
                SELECT * FROM revision
                WHERE (:model IS NULL OR model = :model) AND (:version IS NULL OR version = :version)
                    AND (NOT :bad OR ending IN ('rejected', 'failed', 'aborted'))
                ORDER BY coalesce(endedAt, createdAt) DESC, createdAt DESC LIMIT :limit
                """,
            arguments: [
                "model": search.model, "version": search.version, "bad": search.onlyBad,
                "limit": search.limit,
            ])
        return try withDeployments(db, rows)
    }

    /// Revisions that may have had traffic lately: those that have not ended, and of each
    /// deployment the last that did.
    package static func served(
        _ db: Transaction, deployment: String?, environment: String?
    ) throws -> [Found] {
        let rows = try db.rows(
            sql: """
                SELECT r.* FROM revision r JOIN deployment d ON d.id = r.deployment
                WHERE (:name IS NULL OR d.name = :name)
                    AND (:environment IS NULL OR d.environment = :environment)
                    AND (r.state <> 'ended' OR r.number >= d.lastNumber - 3)
                ORDER BY d.name, d.environment, r.number
                """, arguments: ["name": deployment, "environment": environment])
        return try withDeployments(db, rows)
    }

    private static func withDeployments(_ db: Transaction, _ rows: [RowReader]) throws -> [Found] {
        var known: [DeploymentID: DeploymentRecord] = [:]
        return try rows.compactMap { row -> Found? in
            let found = try record(row)
            if known[found.deployment] == nil {
                known[found.deployment] = try DeploymentQueries.find(db, found.deployment)
            }
            guard let deployment = known[found.deployment] else { return nil }
            return (record: found, deployment: deployment)
        }
    }
}
