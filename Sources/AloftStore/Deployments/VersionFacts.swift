package import AloftDomain

/// What deploying needs to know of a registered version.
package struct VersionFacts: Sendable, Equatable {
    package var key: ModelVersionKey
    package var project: ProjectID
    /// Tells this version from one of the same name and number after the model was deleted.
    package var stamp: String
    package var source: String
    package var run: RunID?
    package var loggedModel: LoggedModelID?
}

package enum VersionFactsQueries {
    private static let select = """
        SELECT m.name, m.project, m.number AS modelNumber, v.version, v.source, v.runId,
            v.loggedModel, v.createdAt
        FROM modelVersion v JOIN registeredModel m ON m.number = v.model
        """

    package static func find(_ db: Transaction, _ key: ModelVersionKey) throws -> VersionFacts? {
        try db.row(
            sql: select + " WHERE m.name = ? AND v.version = ?",
            arguments: [key.model, key.version]
        ).map(facts)
    }

    /// The version that is meant.
    ///
    /// - Throws: `DeploymentError.modelNotFound`, `.versionNotFound` or `.aliasNotFound`.
    package static func resolve(
        _ db: Transaction, _ reference: ModelReference
    ) throws -> VersionFacts {
        let known = try db.values(
            of: String.self, sql: "SELECT name FROM registeredModel ORDER BY name LIMIT 1000")
        switch reference.selector {
        case .version(let version):
            let key = ModelVersionKey(model: reference.model, version: version)
            if let found = try find(db, key) { return found }
            guard known.contains(reference.model) else { break }
            throw DeploymentError.versionNotFound(key)
        case .alias(let alias):
            let version = try db.value(
                of: Int.self,
                sql: """
                    SELECT a.version FROM modelAlias a JOIN registeredModel m ON m.number = a.model
                    WHERE m.name = ? AND a.alias = ?
                    """, arguments: [reference.model, alias])
            if let version,
                let found = try find(db, ModelVersionKey(model: reference.model, version: version))
            {
                return found
            }
            guard known.contains(reference.model) else { break }
            throw DeploymentError.aliasNotFound(model: reference.model, alias: alias)
        }
        throw DeploymentError.modelNotFound(model: reference.model, known: known)
    }

    /// Versions that have no servable, or one of an earlier version of that number; oldest first.
    package static func withoutServable(_ db: Transaction, limit: Int) throws -> [VersionFacts] {
        try db.rows(
            sql: select + """
                 LEFT JOIN servable s ON s.model = m.name AND s.version = v.version
                    AND s.versionStamp = CAST(m.number AS TEXT) || '-' || CAST(v.createdAt AS TEXT)
                WHERE s.model IS NULL
                    AND NOT EXISTS (SELECT 1 FROM registeredModelTag t
                        WHERE t.model = m.number AND t.key = 'mlflow.prompt.is_prompt')
                ORDER BY v.createdAt, m.name, v.version LIMIT ?
                """, arguments: [limit]
        ).map(facts)
    }

    /// The latest value of a metric of a run; `nil` if it was not logged.
    package static func metric(_ db: Transaction, run: RunID, key: String) throws -> Double? {
        guard
            let row = try db.row(
                sql: """
                    SELECT value FROM latestMetric
                    WHERE run = (SELECT number FROM run WHERE id = ?) AND key = ?
                    """, arguments: [run.rawValue, key])
        else { return nil }
        return try row["value"] as Double? ?? .nan
    }

    /// Sets a tag of a version, as an MLflow client would.
    package static func setTag(
        _ db: Transaction, _ key: ModelVersionKey, name: String, value: String
    ) throws {
        try db.execute(
            sql: """
                INSERT INTO modelVersionTag (model, version, key, value)
                SELECT number, ?, ?, ? FROM registeredModel WHERE name = ?
                ON CONFLICT (model, version, key) DO UPDATE SET value = excluded.value
                """, arguments: [key.version, name, value, key.model])
    }

    private static func facts(_ row: RowReader) throws -> VersionFacts {
        let (number, createdAt): (Int64, Int64) = (
            try row["modelNumber"], try row["createdAt"]
        )
        let run: String = try row["runId"]
        return try VersionFacts(
            key: ModelVersionKey(model: row["name"], version: row["version"]),
            project: ProjectID(row["project"]), stamp: "\(number)-\(createdAt)",
            source: row["source"], run: run.isEmpty ? nil : RunID(run),
            loggedModel: (row["loggedModel"] as String?).map(LoggedModelID.init))
    }
}
