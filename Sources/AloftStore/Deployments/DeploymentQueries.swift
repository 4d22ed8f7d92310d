package import AloftDomain
package import Foundation

package enum DeploymentQueries {
    /// The deployment of this name and environment, made if there is none.
    ///
    /// - Throws: `DeploymentError.otherProject` if it belongs to another project.
    package static func ensure(
        _ db: Transaction, id: DeploymentID, project: ProjectID, name: String, environment: String,
        at now: Date, by who: Principal
    ) throws -> DeploymentRecord {
        if let found = try find(db, name: name, environment: environment) {
            guard found.project == project else {
                throw DeploymentError.otherProject(deployment: name, project: found.project)
            }
            return found
        }
        try ProjectQueries.ensure(db, project, at: now)
        try NameOwnerQueries.claim(db, .deployment, name, for: project, at: now, by: who)
        try db.execute(
            sql: """
                INSERT INTO deployment (id, project, name, environment, createdAt, createdBy)
                VALUES (?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                id.rawValue, project.rawValue, name, environment, now.stamp, who.description,
            ])
        try EventLog.appendCounted(
            db, at: now, project: project, entity: "deployment", entityID: id.rawValue,
            what: "created", who: who,
            payload: ["name": .string(name), "environment": .string(environment)])
        return DeploymentRecord(
            id: id, project: project, name: name, environment: environment, createdAt: now,
            createdBy: who.description)
    }

    /// Sets the share of answers that gateways log, 0...1.
    package static func setLogSampling(
        _ db: Transaction, _ id: DeploymentID, _ share: Double
    ) throws {
        try db.execute(
            sql: "UPDATE deployment SET logSampling = ? WHERE id = ? AND logSampling <> ?",
            arguments: [share, id.rawValue, share])
        if db.changesCount > 0 { try DesiredStateQueries.refresh(db) }
    }

    package static func find(
        _ db: Transaction, name: String, environment: String
    ) throws -> DeploymentRecord? {
        try db.row(
            sql: "SELECT * FROM deployment WHERE name = ? AND environment = ?",
            arguments: [name, environment]
        ).map(record)
    }

    package static func find(_ db: Transaction, _ id: DeploymentID) throws -> DeploymentRecord? {
        try db.row(
            sql: "SELECT * FROM deployment WHERE id = ?", arguments: [id.rawValue]
        ).map(record)
    }

    /// - Throws: `DeploymentError.notFound`.
    package static func get(
        _ db: Transaction, name: String, environment: String
    ) throws -> DeploymentRecord {
        if let found = try find(db, name: name, environment: environment) { return found }
        let known = try db.values(
            of: String.self, sql: "SELECT DISTINCT name FROM deployment ORDER BY name LIMIT 1000")
        throw DeploymentError.notFound(
            deployment: name, environment: known.contains(name) ? environment : nil,
            known: known.filter { $0 != name })
    }

    /// By name and environment.
    package static func list(_ db: Transaction, limit: Int) throws -> [DeploymentRecord] {
        try db.rows(
            sql: "SELECT * FROM deployment ORDER BY name, environment LIMIT ?",
            arguments: [limit]
        ).map(record)
    }

    /// Deployments with a revision under way.
    package static func underWay(_ db: Transaction) throws -> [DeploymentRecord] {
        try db.rows(
            sql: """
                SELECT d.* FROM revision r JOIN deployment d ON d.id = r.deployment
                WHERE r.state IN ('waiting', 'warming', 'rolling') ORDER BY r.createdAt, r.id
                """
        ).map(record)
    }

    private static func record(_ row: RowReader) throws -> DeploymentRecord {
        try DeploymentRecord(
            id: DeploymentID(row["id"]), project: ProjectID(row["project"]), name: row["name"],
            environment: row["environment"],
            createdAt: row.date("createdAt"), createdBy: row["createdBy"],
            servedSince: row["servedSince"])
    }
}
